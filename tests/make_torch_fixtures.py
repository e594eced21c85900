"""Write fixtures/torch.json: what PyTorch answers to questions that our tests ask again.

Run by hand, with PyTorch installed (``pip install torch==2.13.0``); the tests read the file and
need no PyTorch. Every number is float64, written with all its digits.
"""

import json
from pathlib import Path

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

N, F, H = 3, 2, 4
LENGTHS = {1: [1, 1, 1], 2: [1, 2, 1], 5: [3, 5, 1]}  # of T; not sorted, on purpose


def rnn_case(T: int, activation: str, ragged: bool, bptt_steps: int | None) -> dict:
    """Run torch.nn.RNN forward and backward once."""
    rnn = torch.nn.RNN(F, H, nonlinearity=activation, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        for weight in rnn.parameters():
            weight.copy_(0.6 * torch.randn_like(weight))
        rnn.bias_hh_l0.zero_()  # PyTorch has two biases that are only ever added
    x = torch.randn(N, T, F, dtype=torch.float64, requires_grad=True)
    h0 = torch.randn(N, H, dtype=torch.float64, requires_grad=True)
    lengths = LENGTHS[T] if ragged else [T] * N
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    h = pad_packed_sequence(rnn(packed, h0[None])[0], batch_first=True, total_length=T)[0]
    dh = torch.randn_like(h)
    if bptt_steps is None:
        loss = (dh * h).sum()
    else:  # each step's states from a state held constant bptt_steps before, unless it is h0
        loss = 0
        for t in range(T):
            start = max(0, t + 1 - bptt_steps)
            before = h0 if start == 0 else h[:, start - 1].detach()
            window = rnn(x[:, start : t + 1], before[None])[0][:, -1]
            alive = (torch.tensor(lengths) > t)[:, None]
            loss = loss + (dh[:, t] * window * alive).sum()
    loss.backward()
    return {
        "activation": activation,
        "bptt_steps": bptt_steps,
        "lengths": lengths if ragged else None,
        "given": {
            "x": x,
            "h0": h0,
            "dh": dh,
            "W_x": rnn.weight_ih_l0.T,
            "W_h": rnn.weight_hh_l0.T,
            "b": rnn.bias_ih_l0,
        },
        "expected": {
            "h": h,
            "dx": x.grad,
            "dh0": h0.grad,
            "dW_x": rnn.weight_ih_l0.grad.T,
            "dW_h": rnn.weight_hh_l0.grad.T,
            "db": rnn.bias_ih_l0.grad,
        },
    }


def gated_case(kind: str, T: int, ragged: bool, bptt_steps: int | None) -> dict:
    """Run torch.nn.GRU or torch.nn.LSTM forward and backward once."""
    rnn = getattr(torch.nn, kind)(F, H, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        for weight in rnn.parameters():
            weight.copy_(0.6 * torch.randn_like(weight))
        if kind == "LSTM":
            rnn.bias_hh_l0.zero_()  # PyTorch has two biases that are only ever added
    x = torch.randn(N, T, F, dtype=torch.float64, requires_grad=True)
    names = ["h0", "c0"] if kind == "LSTM" else ["h0"]
    starts = [torch.randn(1, N, H, dtype=torch.float64, requires_grad=True) for _ in names]
    lengths = LENGTHS[T] if ragged else [T] * N

    def steps(x, states):
        """Read steps of x; return h after each, and the states after the last."""
        h, states = rnn(x, tuple(states) if kind == "LSTM" else states[0])
        return h, list(states) if kind == "LSTM" else [states]

    # Step by step, so that the whole state, c too, is at hand to be held constant.
    h, states, before = [], starts, []
    for t in range(T):
        before.append([state.detach() for state in states] if t else starts)
        h_t, states = steps(x[:, t : t + 1], states)
        h.append(h_t)
    alive = (torch.arange(T) < torch.tensor(lengths)[:, None])[:, :, None]
    h = torch.cat(h, dim=1) * alive
    dh = torch.randn_like(h)
    if bptt_steps is None:
        loss = (dh * h).sum()
    else:  # each step's h from a state held constant bptt_steps before, unless it is the first
        loss = 0
        for t in range(T):
            first = max(0, t + 1 - bptt_steps)
            window = steps(x[:, first : t + 1], before[first])[0][:, -1]
            loss = loss + (dh[:, t] * window * alive[:, t]).sum()
    loss.backward()
    params = {"W_x": rnn.weight_ih_l0, "W_h": rnn.weight_hh_l0}
    biases = {"b_x": rnn.bias_ih_l0, "b_h": rnn.bias_hh_l0}
    params |= biases if kind == "GRU" else {"b": rnn.bias_ih_l0}
    given = dict(zip(names, (start[0] for start in starts), strict=True))
    expected = {f"d{name}": start.grad[0] for name, start in zip(names, starts, strict=True)}
    return {
        "layer": kind,
        "bptt_steps": bptt_steps,
        "lengths": lengths if ragged else None,
        "given": {"x": x, "dh": dh} | given | {name: param.t() for name, param in params.items()},
        "expected": {"h": h, "dx": x.grad}
        | expected
        | {f"d{name}": param.grad.t() for name, param in params.items()},
    }


def loss_case(output: str, n_output: int) -> dict:
    """Run one of the two cross-entropies, on scores small and large."""
    scores = torch.randn(5, n_output, dtype=torch.float64)
    scores[0] *= 100
    scores.requires_grad_()
    labels = torch.randint(0, max(2, n_output), (5,))
    if output == "softmax":
        loss = torch.nn.functional.cross_entropy(scores, labels)
    else:
        targets = (
            labels[:, None] if n_output == 1 else torch.nn.functional.one_hot(labels, n_output)
        )
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            scores, targets.double(), reduction="sum"
        ) / len(labels)
    loss.backward()
    return {
        "output": output,
        "given": {"scores": scores, "labels": labels},
        "expected": {"loss": loss, "dscores": scores.grad},
    }


def optimizer_case(name: str) -> dict:
    """Make five updates with given gradients."""
    w = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    start, grads = w.detach().clone(), torch.randn(5, 2, 3, dtype=torch.float64)
    make = {
        "sgd": lambda: torch.optim.SGD([w], lr=0.1),
        "adagrad": lambda: torch.optim.Adagrad([w], lr=0.1, eps=1e-8),
        "adam": lambda: torch.optim.Adam([w], lr=0.1),
    }
    optimizer = make[name]()
    for grad in grads:
        w.grad = grad.clone()
        optimizer.step()
    return {"optimizer": name, "given": {"w": start, "grads": grads}, "expected": {"w": w}}


def as_numbers(value):
    """Turn tensors into nested lists, everywhere in `value`."""
    if isinstance(value, torch.Tensor):
        return value.detach().tolist()
    if isinstance(value, dict):
        return {key: as_numbers(item) for key, item in value.items()}
    return [as_numbers(item) for item in value] if isinstance(value, list) else value


def main() -> None:
    """Ask all the questions and write the answers."""
    torch.manual_seed(20261122)
    fixtures = {
        "made_with": f"torch {torch.__version__}",
        "rnn": [
            rnn_case(T, activation, ragged, bptt_steps)
            for T in (1, 2, 5)
            for activation in ("tanh", "relu")
            for ragged in (False, True)
            for bptt_steps in (None, 1, 2, 4)
        ],
        "loss": [loss_case(o, n) for o, n in (("softmax", 3), ("sigmoid", 1), ("sigmoid", 3))],
        "optimizer": [optimizer_case(name) for name in ("sgd", "adagrad", "adam")],
        "gated": [
            gated_case(kind, T, ragged, bptt_steps)
            for kind in ("GRU", "LSTM")
            for T in (1, 2, 5)
            for ragged in (False, True)
            for bptt_steps in (None, 2)
        ],
    }
    path = Path(__file__).parent / "fixtures" / "torch.json"
    path.write_text(json.dumps(as_numbers(fixtures)) + "\n")


if __name__ == "__main__":
    main()

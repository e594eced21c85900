"""Exercise solutions for a blind test of the checks: wrong ones, and right ones in unusual styles.

``SOLUTIONS`` lists (exercise, kind, function): kind is the number of the mistake in the list,
``"other"`` for a mistake that is not in it, or ``"right"``.
"""

from functools import reduce

import numpy as np

SOLUTIONS = []


def solution(exercise, kind):
    """Register the decorated function as a solution of ``exercise``."""

    def register(function):
        SOLUTIONS.append((exercise, kind, function))
        return function

    return register


# ---------------------------------------------------------------- rnn_step


@solution("step", "right")
def step_stacked_weights(x_t, h_prev, W_x, W_h, b):
    joined = np.concatenate([x_t, h_prev], axis=1)
    return np.tanh(joined @ np.concatenate([W_x, W_h]) + b)


@solution("step", "right")
def step_loops_over_samples(x_t, h_prev, W_x, W_h, b):
    out = []
    for sample, state in zip(x_t, h_prev, strict=True):
        out.append(np.tanh(W_x.T.dot(sample) + W_h.T.dot(state) + b))
    return np.array(out)


@solution("step", 1)
def step_forgets_state(x_t, h_prev, W_x, W_h, b):
    a = np.dot(x_t, W_x) + b
    return np.tanh(a)


@solution("step", 1)
def step_zeroes_state(x_t, h_prev, W_x, W_h, b):
    h = np.zeros((x_t.shape[0], W_h.shape[0]))
    return np.tanh(x_t @ W_x + h @ W_h + b)


@solution("step", 2)
def step_transposes_recurrent_weights(x_t, h_prev, W_x, W_h, b):
    return np.tanh(np.einsum("nf,fh->nh", x_t, W_x) + np.einsum("ng,hg->nh", h_prev, W_h) + b)


@solution("step", 4)
def step_drops_bias(x_t, h_prev, W_x, W_h, b):
    z = x_t.dot(W_x)
    z += h_prev.dot(W_h)
    return np.tanh(z)


@solution("step", 17)
def step_tanh_by_both_exponentials(x_t, h_prev, W_x, W_h, b):
    a = x_t @ W_x + h_prev @ W_h + b
    return (np.exp(a) - np.exp(-a)) / (np.exp(a) + np.exp(-a))


@solution("step", 17)
def step_tanh_by_one_exponential(x_t, h_prev, W_x, W_h, b):
    a = x_t @ W_x + h_prev @ W_h + b
    return 2 / (1 + np.exp(-2 * a)) - 1


@solution("step", 18)
def step_reshapes_recurrent_weights(x_t, h_prev, W_x, W_h, b):
    n_features, n_nodes = W_x.shape
    return np.tanh(x_t @ W_x + h_prev @ W_h.reshape(n_features, n_nodes) + b)


@solution("step", "other")
def step_uses_sigmoid(x_t, h_prev, W_x, W_h, b):
    a = x_t @ W_x + h_prev @ W_h + b
    return 1 / (1 + np.exp(-a))


@solution("step", "other")
def step_adds_bias_outside(x_t, h_prev, W_x, W_h, b):
    return np.tanh(x_t @ W_x + h_prev @ W_h) + b


@solution("step", "other")
def step_state_outside_tanh(x_t, h_prev, W_x, W_h, b):
    return np.tanh(x_t @ W_x + b) + h_prev @ W_h


@solution("step", 5)
def step_overwrites_previous_state(x_t, h_prev, W_x, W_h, b):
    h_prev[:] = np.tanh(x_t @ W_x + h_prev @ W_h + b)
    return h_prev


@solution("step", "other")
def step_adds_bias_twice(x_t, h_prev, W_x, W_h, b):
    from_input = x_t @ W_x + b
    from_state = h_prev @ W_h + b
    return np.tanh(from_input + from_state)


@solution("step", "other")
def step_without_activation(x_t, h_prev, W_x, W_h, b):
    return x_t @ W_x + h_prev @ W_h + b


@solution("step", "other")
def step_prints_only(x_t, h_prev, W_x, W_h, b):
    h_t = np.tanh(x_t @ W_x + h_prev @ W_h + b)  # noqa: F841  (the return is forgotten)


# ---------------------------------------------------------------- rnn_forward


@solution("forward", "right")
def forward_recursion(x, h0, W_x, W_h, b):
    if x.shape[1] == 0:
        return np.empty((x.shape[0], 0, W_h.shape[0]))
    first = np.tanh(x[:, 0] @ W_x + h0 @ W_h + b)
    rest = forward_recursion(x[:, 1:], first, W_x, W_h, b)
    return np.concatenate([first[:, None], rest], axis=1)


@solution("forward", "right")
def forward_time_major_view(x, h0, W_x, W_h, b):
    states = np.einsum("ntf,fh->tnh", x, W_x) + b
    state = h0
    for row in states:
        row += state @ W_h
        np.tanh(row, out=row)
        state = row
    return states.transpose(1, 0, 2)


@solution("forward", "right")
def forward_reduce(x, h0, W_x, W_h, b):
    def advance(states, x_t):
        return [*states, np.tanh(x_t @ W_x + states[-1] @ W_h + b)]

    return np.stack(reduce(advance, np.swapaxes(x, 0, 1), [h0])[1:], axis=1)


@solution("forward", 1)
def forward_always_starts_at_h0(x, h0, W_x, W_h, b):
    hs = []
    for t in range(x.shape[1]):
        hs.append(np.tanh(x[:, t] @ W_x + h0 @ W_h + b))
    return np.stack(hs, axis=1)


@solution("forward", 1)
def forward_zeroes_state_each_step(x, h0, W_x, W_h, b):
    N, T, _ = x.shape
    H = W_h.shape[0]
    h = np.zeros((N, T, H))
    for t in range(T):
        state = np.zeros((N, H))
        h[:, t, :] = np.tanh(x[:, t, :] @ W_x + state @ W_h + b)
    return h


@solution("forward", 1)
def forward_all_steps_at_once(x, h0, W_x, W_h, b):
    return np.tanh(x @ W_x + b)


@solution("forward", 2)
def forward_transposes_recurrent_weights(x, h0, W_x, W_h, b):
    state, hs = h0, {}
    for t in range(x.shape[1]):
        state = np.tanh(x[:, t] @ W_x + np.dot(W_h, state.T).T + b)
        hs[t] = state
    return np.stack([hs[t] for t in sorted(hs)], axis=1)


@solution("forward", 3)
def forward_last_step_left_zero(x, h0, W_x, W_h, b):
    N, T, F = x.shape
    h = np.zeros((N, T, W_x.shape[1]))
    prev = h0
    for t in range(T - 1):
        prev = np.tanh(x[:, t] @ W_x + prev @ W_h + b)
        h[:, t] = prev
    return h


@solution("forward", 3)
def forward_list_begins_with_h0(x, h0, W_x, W_h, b):
    hs = [h0]
    for t in range(x.shape[1] - 1):
        hs.append(np.tanh(x[:, t] @ W_x + hs[-1] @ W_h + b))
    return np.stack(hs, axis=1)


@solution("forward", 3)
def forward_one_state_too_few(x, h0, W_x, W_h, b):
    hs, h = [], h0
    for t in range(0, x.shape[1] - 1):
        h = np.tanh(x[:, t] @ W_x + h @ W_h + b)
        hs.append(h)
    return np.array(hs).transpose(1, 0, 2) if hs else np.zeros((len(x), 0, len(W_h)))


@solution("forward", 4)
def forward_drops_bias(x, h0, W_x, W_h, b):
    xw = x @ W_x
    h = np.empty_like(xw)
    for t in range(x.shape[1]):
        h[:, t] = np.tanh(xw[:, t] + (h0 if t == 0 else h[:, t - 1]) @ W_h)
    return h


@solution("forward", 4)
def forward_bias_only_at_first_step(x, h0, W_x, W_h, b):
    a = x[:, 0] @ W_x + h0 @ W_h + b
    hs = [np.tanh(a)]
    for t in range(1, x.shape[1]):
        hs.append(np.tanh(x[:, t] @ W_x + hs[t - 1] @ W_h))
    return np.stack(hs, 1)


@solution("forward", 5)
def forward_state_kept_as_attribute(x, h0, W_x, W_h, b):
    me = forward_state_kept_as_attribute
    h = getattr(me, "state", None)
    if h is None or h.shape != h0.shape:
        h = h0
    out = []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ W_x + h @ W_h + b)
        out.append(h)
    me.state = h
    return np.stack(out, axis=1)


@solution("forward", 5)
def forward_state_in_default_argument(x, h0, W_x, W_h, b, cache={}):  # noqa: B006
    key = (x.shape[0], W_h.shape[0])
    cache.setdefault(key, h0)
    h = np.zeros((x.shape[0], x.shape[1], W_h.shape[0]))
    for t in range(x.shape[1]):
        cache[key] = np.tanh(x[:, t] @ W_x + cache[key] @ W_h + b)
        h[:, t] = cache[key]
    return h


@solution("forward", 17)
def forward_tanh_helper(x, h0, W_x, W_h, b):
    def tanh(a):
        return (1 - np.exp(-2 * a)) / (1 + np.exp(-2 * a))

    h = np.zeros(x.shape[:2] + (len(W_h),))
    prev = h0
    for t in range(x.shape[1]):
        h[:, t] = prev = tanh(x[:, t] @ W_x + prev @ W_h + b)
    return h


@solution("forward", 18)
def forward_splits_joined_weights_wrongly(x, h0, W_x, W_h, b):
    n_features = x.shape[2]
    W_h = W_h[:n_features]
    h, hs = h0, []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ W_x + h @ W_h + b)
        hs.append(h)
    return np.stack(hs, axis=1)


@solution("forward", 19)
def forward_draws_weights(x, h0, W_x, W_h, b):
    W_x = 0.01 * np.random.randn(*W_x.shape)  # noqa: NPY002
    W_h = 0.01 * np.random.randn(*W_h.shape)  # noqa: NPY002
    h, hs = h0, []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ W_x + h @ W_h + b)
        hs.append(h)
    return np.stack(hs, axis=1)


@solution("forward", 19)
def forward_fills_weights_in_place(x, h0, W_x, W_h, b):
    rng = np.random.default_rng()
    W_h[...] = rng.normal(0, 0.1, W_h.shape)
    h, hs = h0, []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ W_x + h @ W_h + b)
        hs.append(h)
    return np.stack(hs, axis=1)


@solution("forward", 21)
def forward_returns_time_first(x, h0, W_x, W_h, b):
    hs, h = [], h0
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ W_x + h @ W_h + b)
        hs.append(h)
    return np.array(hs)


@solution("forward", 21)
def forward_loops_over_samples_as_time(x, h0, W_x, W_h, b):
    hs, h = [], h0
    for t in range(x.shape[0]):
        h = np.tanh(x[t] @ W_x + h @ W_h + b)
        hs.append(h)
    return np.stack(hs)


@solution("forward", 21)
def forward_reshapes_instead_of_transposing(x, h0, W_x, W_h, b):
    N, T, F = x.shape
    hs, h = [], h0
    for x_t in x.reshape(T, N, F):
        h = np.tanh(x_t @ W_x + h @ W_h + b)
        hs.append(h)
    return np.stack(hs, axis=1)


@solution("forward", 21)
def forward_reshapes_the_result(x, h0, W_x, W_h, b):
    N, T, _ = x.shape
    hs, h = [], h0
    for t in range(T):
        h = np.tanh(x[:, t] @ W_x + h @ W_h + b)
        hs.append(h)
    return np.array(hs).reshape(N, T, -1)


@solution("forward", "other")
def forward_appends_one_buffer(x, h0, W_x, W_h, b):
    h, hs = h0.copy(), []
    for t in range(x.shape[1]):
        h[:] = np.tanh(x[:, t] @ W_x + h @ W_h + b)
        hs.append(h)
    return np.stack(hs, axis=1)


@solution("forward", "other")
def forward_returns_last_state_only(x, h0, W_x, W_h, b):
    h = h0
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ W_x + h @ W_h + b)
    return h


@solution("forward", "other")
def forward_reads_backwards(x, h0, W_x, W_h, b):
    h = np.zeros((x.shape[0], x.shape[1], W_h.shape[0]))
    state = h0
    for t in range(x.shape[1] - 1, -1, -1):
        state = np.tanh(x[:, t] @ W_x + state @ W_h + b)
        h[:, t] = state
    return h


@solution("forward", 5)
def forward_changes_h0(x, h0, W_x, W_h, b):
    h = np.zeros((x.shape[0], x.shape[1], W_h.shape[0]))
    state = h0
    for t in range(x.shape[1]):
        np.tanh(x[:, t] @ W_x + state @ W_h + b, out=state)
        h[:, t] = state
    return h


@solution("forward", 6)
def forward_ignores_h0(x, h0, W_x, W_h, b):
    N, T, _ = x.shape
    h = np.zeros((N, T + 1, W_h.shape[0]))
    for t in range(T):
        h[:, t + 1] = np.tanh(x[:, t] @ W_x + h[:, t] @ W_h + b)
    return h[:, 1:]


@solution("forward", "other")
def forward_returns_h0_too(x, h0, W_x, W_h, b):
    hs = [h0]
    for t in range(x.shape[1]):
        hs.append(np.tanh(x[:, t] @ W_x + hs[t] @ W_h + b))
    return np.stack(hs, axis=1)


@solution("forward", "other")
def forward_feeds_back_before_tanh(x, h0, W_x, W_h, b):
    a, hs = h0, []
    for t in range(x.shape[1]):
        a = x[:, t] @ W_x + a @ W_h + b
        hs.append(np.tanh(a))
    return np.stack(hs, axis=1)


@solution("forward", 16)
def forward_integer_buffer(x, h0, W_x, W_h, b):
    h = np.zeros((x.shape[0], x.shape[1], W_h.shape[0]), dtype=int)
    state = h0
    for t in range(x.shape[1]):
        state = np.tanh(x[:, t] @ W_x + state @ W_h + b)
        h[:, t] = state
    return h


@solution("forward", "other")
def forward_uses_first_input_everywhere(x, h0, W_x, W_h, b):
    x_t = x[:, 0]
    h, hs = h0, []
    for _ in range(x.shape[1]):
        h = np.tanh(x_t @ W_x + h @ W_h + b)
        hs.append(h)
    return np.stack(hs, axis=1)


@solution("forward", "right")
def forward_float32_buffer(x, h0, W_x, W_h, b):
    h = np.zeros((x.shape[0], x.shape[1], W_h.shape[0]), dtype=np.float32)
    h[:, 0] = np.tanh(x[:, 0] @ W_x + h0 @ W_h + b)
    for t in range(1, x.shape[1]):
        h[:, t] = np.tanh(x[:, t] @ W_x + h[:, t - 1] @ W_h + b)
    return h


# ---------------------------------------------------------------- rnn_step_backward


@solution("step_backward", "right")
def step_backward_einsum(dh_t, x_t, h_prev, h_t, W_x, W_h):
    g = np.einsum("nh,nh->nh", dh_t, 1 - np.square(h_t))
    return (
        np.einsum("nh,fh->nf", g, W_x),
        np.einsum("nh,gh->ng", g, W_h),
        np.einsum("nf,nh->fh", x_t, g),
        np.einsum("ng,nh->gh", h_prev, g),
        np.einsum("nh->h", g),
    )


@solution("step_backward", "right")
def step_backward_sample_by_sample(dh_t, x_t, h_prev, h_t, W_x, W_h):
    dx, dh_prev = np.zeros_like(x_t), np.zeros_like(h_prev)
    dW_x, dW_h, db = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros(W_h.shape[1])
    for n in range(len(x_t)):
        delta = dh_t[n] * (1 - h_t[n]) * (1 + h_t[n])
        dx[n], dh_prev[n] = W_x @ delta, W_h @ delta
        dW_x += np.outer(x_t[n], delta)
        dW_h += np.outer(h_prev[n], delta)
        db += delta
    return dx, dh_prev, dW_x, dW_h, db


def _five(da, x_t, h_prev, W_x, W_h):
    return da @ W_x.T, da @ W_h.T, x_t.T @ da, h_prev.T @ da, da.sum(axis=0)


@solution("step_backward", 8)
def step_backward_tanh_of_h(dh_t, x_t, h_prev, h_t, W_x, W_h):
    da = dh_t * (1 - np.tanh(h_t) ** 2)
    return _five(da, x_t, h_prev, W_x, W_h)


@solution("step_backward", 9)
def step_backward_no_derivative(dh_t, x_t, h_prev, h_t, W_x, W_h):
    return _five(dh_t, x_t, h_prev, W_x, W_h)


@solution("step_backward", 11)
def step_backward_own_state(dh_t, x_t, h_prev, h_t, W_x, W_h):
    da = (1 - h_t * h_t) * dh_t
    dW_h = np.dot(h_t.T, da)
    return da.dot(W_x.T), da.dot(W_h.T), x_t.T.dot(da), dW_h, np.sum(da, axis=0)


@solution("step_backward", 12)
def step_backward_not_transposed(dh_t, x_t, h_prev, h_t, W_x, W_h):
    da = (1 - h_t**2) * dh_t
    return da @ W_x.T, da @ W_h, x_t.T @ da, h_prev.T @ da, da.sum(0)


@solution("step_backward", 13)
def step_backward_weights_divided(dh_t, x_t, h_prev, h_t, W_x, W_h):
    n = x_t.shape[0]
    da = (1 - h_t**2) * dh_t
    return da @ W_x.T, da @ W_h.T, x_t.T @ da / n, h_prev.T @ da / n, da.mean(axis=0)


@solution("step_backward", 13)
def step_backward_bias_mean(dh_t, x_t, h_prev, h_t, W_x, W_h):
    da = (1 - h_t**2) * dh_t
    return da @ W_x.T, da @ W_h.T, x_t.T @ da, h_prev.T @ da, np.mean(da, axis=0)


@solution("step_backward", 14)
def step_backward_product_of_means(dh_t, x_t, h_prev, h_t, W_x, W_h):
    da = (1 - h_t**2) * dh_t
    m = da.mean(axis=0)
    dW_x = np.outer(x_t.mean(axis=0), m)
    dW_h = np.outer(h_prev.mean(axis=0), m)
    return da @ W_x.T, da @ W_h.T, dW_x, dW_h, da.sum(axis=0)


@solution("step_backward", 14)
def step_backward_product_of_sums(dh_t, x_t, h_prev, h_t, W_x, W_h):
    da = (1 - h_t**2) * dh_t
    db = da.sum(axis=0)
    dW_x = x_t.mean(axis=0)[:, None] * db
    dW_h = h_prev.mean(axis=0)[:, None] * db
    return da @ W_x.T, da @ W_h.T, dW_x, dW_h, db


@solution("step_backward", 16)
def step_backward_integer_db(dh_t, x_t, h_prev, h_t, W_x, W_h):
    db = np.zeros_like(np.array([1] * W_h.shape[1]))
    da = (1 - h_t**2) * dh_t
    for row in da:
        db += row
    return da @ W_x.T, da @ W_h.T, x_t.T @ da, h_prev.T @ da, db


@solution("step_backward", 18)
def step_backward_recurrent_buffer_like_input(dh_t, x_t, h_prev, h_t, W_x, W_h):
    dW_x, dW_h = np.zeros_like(W_x), np.zeros_like(W_x)
    da = (1 - h_t**2) * dh_t
    dW_x += x_t.T @ da
    dW_h += h_prev.T @ da
    return da @ W_x.T, da @ W_h.T, dW_x, dW_h, da.sum(axis=0)


@solution("step_backward", 23)
def step_backward_multiplies_in_place(dh_t, x_t, h_prev, h_t, W_x, W_h):
    dh_t *= 1 - h_t**2
    return _five(dh_t, x_t, h_prev, W_x, W_h)


@solution("step_backward", 23)
def step_backward_edits_through_name(dh_t, x_t, h_prev, h_t, W_x, W_h):
    delta = dh_t
    delta[:] = delta - delta * h_t**2
    return _five(delta, x_t, h_prev, W_x, W_h)


@solution("step_backward", "other")
def step_backward_square_forgotten(dh_t, x_t, h_prev, h_t, W_x, W_h):
    return _five(dh_t * (1 - h_t), x_t, h_prev, W_x, W_h)


@solution("step_backward", "other")
def step_backward_sigmoid_derivative(dh_t, x_t, h_prev, h_t, W_x, W_h):
    return _five(dh_t * h_t * (1 - h_t), x_t, h_prev, W_x, W_h)


@solution("step_backward", "other")
def step_backward_derivative_at_previous(dh_t, x_t, h_prev, h_t, W_x, W_h):
    return _five(dh_t * (1 - h_prev**2), x_t, h_prev, W_x, W_h)


@solution("step_backward", "other")
def step_backward_sign(dh_t, x_t, h_prev, h_t, W_x, W_h):
    return _five(dh_t * (h_t**2 - 1), x_t, h_prev, W_x, W_h)


@solution("step_backward", "other")
def step_backward_returns_swapped(dh_t, x_t, h_prev, h_t, W_x, W_h):
    dx_t, dh_prev, dW_x, dW_h, db = _five(dh_t * (1 - h_t**2), x_t, h_prev, W_x, W_h)
    return dx_t, dh_prev, dW_h, dW_x, db


@solution("step_backward", "other")
def step_backward_derivative_twice_for_state(dh_t, x_t, h_prev, h_t, W_x, W_h):
    local = 1 - h_t**2
    da = dh_t * local
    return da @ W_x.T, (da * local) @ W_h.T, x_t.T @ da, h_prev.T @ da, da.sum(axis=0)


@solution("step_backward", "other")
def step_backward_bias_kept_2d(dh_t, x_t, h_prev, h_t, W_x, W_h):
    da = dh_t * (1 - h_t**2)
    return da @ W_x.T, da @ W_h.T, x_t.T @ da, h_prev.T @ da, da.sum(axis=0, keepdims=True)


@solution("step_backward", "other")
def step_backward_recurrent_gradient_transposed(dh_t, x_t, h_prev, h_t, W_x, W_h):
    da = dh_t * (1 - h_t**2)
    return da @ W_x.T, da @ W_h.T, x_t.T @ da, da.T @ h_prev, da.sum(axis=0)


@solution("step_backward", 9)
def step_backward_input_skips_derivative(dh_t, x_t, h_prev, h_t, W_x, W_h):
    da = dh_t * (1 - h_t**2)
    return dh_t @ W_x.T, da @ W_h.T, x_t.T @ da, h_prev.T @ da, da.sum(axis=0)


# ---------------------------------------------------------------- rnn_backward


@solution("backward", "right")
def backward_each_error_apart(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    N, T, F = x.shape
    reach = T if bptt_steps is None else bptt_steps
    before = np.concatenate([h0[:, None], h[:, :-1]], axis=1)
    dx, dh0 = np.zeros_like(x), np.zeros_like(h0)
    dW_x, dW_h, db = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros(W_h.shape[0])
    for end in range(T):
        error = dh[:, end]
        for t in range(end, max(-1, end - reach), -1):
            da = error * (1 - h[:, t] ** 2)
            dx[:, t] += da @ W_x.T
            dW_x += x[:, t].T @ da
            dW_h += before[:, t].T @ da
            db += da.sum(axis=0)
            error = da @ W_h.T
            if t == 0:
                dh0 += error
    return dx, dh0, dW_x, dW_h, db


@solution("backward", "right")
def backward_queue_of_errors(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    T = x.shape[1]
    k = T if bptt_steps is None else min(bptt_steps, T)
    alive, deltas = [], {}
    for t in reversed(range(T)):
        alive = [dh[:, t], *alive][:k]
        local = 1 - h[:, t] ** 2
        alive = [g * local for g in alive]
        deltas[t] = np.sum(alive, axis=0)
        alive = [g @ W_h.T for g in alive]
        if t:
            alive = alive[: k - 1]
    da = np.stack([deltas[t] for t in range(T)], axis=1)
    past = np.stack([h0, *np.moveaxis(h, 1, 0)[:-1]], axis=1)
    return (
        da @ W_x.T,
        sum(alive),
        np.tensordot(x, da, axes=([0, 1], [0, 1])),
        np.tensordot(past, da, axes=([0, 1], [0, 1])),
        da.sum(axis=(0, 1)),
    )


@solution("backward", "right")
def backward_one_wide_array(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    N, T, _ = x.shape
    k = bptt_steps or T
    errors = np.zeros((T, N, len(W_h)))  # errors[s]: the part that entered at step s
    da = np.zeros((T, N, len(W_h)))
    for t in range(T - 1, -1, -1):
        errors[t] = dh[:, t]
        errors[t + k :] = 0
        now = errors * (1 - h[:, t] ** 2)
        da[t] = now.sum(axis=0)
        errors = now @ W_h.T
    flat = da.reshape(T * N, -1)
    h_before = np.concatenate([h0[None], h.swapaxes(0, 1)[:-1]]).reshape(T * N, -1)
    dW_x = x.swapaxes(0, 1).reshape(T * N, -1).T @ flat
    return (
        (da @ W_x.T).swapaxes(0, 1),
        errors.sum(axis=0),
        dW_x,
        h_before.T @ flat,
        flat.sum(axis=0),
    )


@solution("backward", 6)
def backward_wraps_round(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    N, T, F = x.shape
    k = T if bptt_steps is None else bptt_steps
    dx, dh0 = np.zeros_like(x), np.zeros_like(h0)
    dW_x, dW_h, db = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros(W_h.shape[0])
    for s in range(T):
        g = dh[:, s]
        for t in range(s, max(s - k, -1), -1):
            da = g * (1 - h[:, t] ** 2)
            dx[:, t] += da @ W_x.T
            dW_x += x[:, t].T @ da
            dW_h += h[:, t - 1].T @ da
            db += da.sum(0)
            g = da @ W_h.T
        if s - k < 0:
            dh0 += g
    return dx, dh0, dW_x, dW_h, db


@solution("backward", 6)
def backward_rolls_states(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    da, dh0 = _deltas(dh, h, W_h, bptt_steps)
    dW_h = np.einsum("ntg,nth->gh", np.roll(h, 1, axis=1), da)
    return da @ W_x.T, dh0, np.einsum("ntf,nth->fh", x, da), dW_h, da.sum((0, 1))


def _deltas(dh, h, W_h, bptt_steps):
    """Gradient before the activation at every step, and at h0."""
    T = h.shape[1]
    k = T if bptt_steps is None else bptt_steps
    da, dh0 = np.zeros_like(h), 0
    for s in range(T):
        g = dh[:, s]
        for t in range(s, max(s - k, -1), -1):
            delta = g * (1 - h[:, t] ** 2)
            da[:, t] += delta
            g = delta @ W_h.T
        if s < k:
            dh0 = dh0 + g
    return da, dh0


def _collect(da, dh0, x, h0, h, W_x):
    """The five gradients from those before the activation."""
    h_prev = np.concatenate((h0[:, np.newaxis], h[:, :-1]), axis=1)
    dW_x = np.einsum("ntf,nth->fh", x, da)
    dW_h = np.einsum("ntg,nth->gh", h_prev, da)
    return da @ W_x.T, dh0, dW_x, dW_h, da.sum(axis=(0, 1))


@solution("backward", 7)
def backward_last_gradient_everywhere(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    T = x.shape[1]
    same = np.repeat(dh[:, -1:], T, axis=1)
    return _collect(*_deltas(same, h, W_h, bptt_steps), x, h0, h, W_x)


@solution("backward", 7)
def backward_last_gradient_added_again(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    T = x.shape[1]
    with_last = dh.copy()
    for t in range(T - 1):
        with_last[:, t] += dh[:, T - 1]
    return _collect(*_deltas(with_last, h, W_h, bptt_steps), x, h0, h, W_x)


@solution("backward", 8)
def backward_tanh_of_state(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    T = x.shape[1]
    k = T if bptt_steps is None else bptt_steps
    grad_tanh = 1 - np.tanh(h) ** 2
    da, dh0 = np.zeros_like(h), np.zeros_like(h0)
    for s in range(T - 1, -1, -1):
        g = dh[:, s]
        for t in range(s, s - k, -1):
            if t < 0:
                break
            da[:, t] += g * grad_tanh[:, t]
            g = (g * grad_tanh[:, t]) @ W_h.T
        if s - k < 0:
            dh0 += g
    return _collect(da, dh0, x, h0, h, W_x)


@solution("backward", 9)
def backward_no_derivative(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    return _collect(*_deltas(dh, np.zeros_like(h), W_h, bptt_steps), x, h0, h, W_x)


@solution("backward", 10)
def backward_assigns_weights(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    da, dh0 = _deltas(dh, h, W_h, bptt_steps)
    dx = np.empty_like(x)
    for t in range(x.shape[1] - 1, -1, -1):
        h_prev = h[:, t - 1] if t > 0 else h0
        dx[:, t] = da[:, t] @ W_x.T
        dW_x = x[:, t].T @ da[:, t]
        dW_h = h_prev.T @ da[:, t]
        db = da[:, t].sum(axis=0)
    return dx, dh0, dW_x, dW_h, db


@solution("backward", 10)
def backward_assigns_bias_only(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    da, dh0 = _deltas(dh, h, W_h, bptt_steps)
    grads = {"W_x": np.zeros(W_x.shape), "W_h": np.zeros(W_h.shape), "b": np.zeros(len(W_h))}
    for t in reversed(range(x.shape[1])):
        grads["W_x"] += x[:, t].T @ da[:, t]
        grads["W_h"] += (h[:, t - 1] if t else h0).T @ da[:, t]
        grads["b"] = da[:, t].sum(axis=0)
    return da @ W_x.T, dh0, grads["W_x"], grads["W_h"], grads["b"]


@solution("backward", 11)
def backward_own_state(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    da, dh0 = _deltas(dh, h, W_h, bptt_steps)
    dW_x = sum(x[:, t].T @ da[:, t] for t in range(x.shape[1]))
    dW_h = sum(h[:, t].T @ da[:, t] for t in range(x.shape[1]))
    return da @ W_x.T, dh0, dW_x, dW_h, da.sum(axis=1).sum(axis=0)


@solution("backward", 12)
def backward_not_transposed(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    return _collect(*_deltas(dh, h, W_h.T, bptt_steps), x, h0, h, W_x)


@solution("backward", 13)
def backward_divides_by_batch(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    dx, dh0, dW_x, dW_h, db = _collect(*_deltas(dh, h, W_h, bptt_steps), x, h0, h, W_x)
    N = x.shape[0]
    dW_x /= N
    dW_h /= N
    db /= N
    return dx, dh0, dW_x, dW_h, db


@solution("backward", 13)
def backward_divides_upstream(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    return _collect(*_deltas(dh / len(x), h, W_h, bptt_steps), x, h0, h, W_x)


@solution("backward", 14)
def backward_product_of_means(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    da, dh0 = _deltas(dh, h, W_h, bptt_steps)
    N, T, _ = x.shape
    dW_x, dW_h = np.zeros_like(W_x), np.zeros_like(W_h)
    for t in range(T):
        h_prev = h0 if t == 0 else h[:, t - 1]
        dW_x += np.outer(x[:, t].mean(0), da[:, t].sum(0))
        dW_h += np.outer(h_prev.mean(0), da[:, t].sum(0))
    return da @ W_x.T, dh0, dW_x, dW_h, da.sum(axis=(0, 1))


@solution("backward", 15)
def backward_one_cell_too_many(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    T = x.shape[1]
    k = T if bptt_steps is None else bptt_steps
    da, dh0 = np.zeros_like(h), np.zeros_like(h0)
    for s in range(T):
        g = dh[:, s]
        for step in range(0, k + 1):
            t = s - step
            if t < 0:
                break
            delta = g * (1 - h[:, t] ** 2)
            da[:, t] += delta
            g = delta @ W_h.T
            if t == 0:
                dh0 += g
    return _collect(da, dh0, x, h0, h, W_x)


@solution("backward", 15)
def backward_one_cell_too_few(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    T = x.shape[1]
    k = T + 1 if bptt_steps is None else bptt_steps
    da, dh0 = np.zeros_like(h), np.zeros_like(h0)
    for s in range(T):
        g, t = dh[:, s], s
        while t >= 0 and t > s - k + 1:
            delta = g * (1 - h[:, t] ** 2)
            da[:, t] += delta
            g = delta @ W_h.T
            if t == 0:
                dh0 += g
            t -= 1
    return _collect(da, dh0, x, h0, h, W_x)


@solution("backward", 16)
def backward_integer_bias_buffer(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    b = np.array([0 for _ in range(W_h.shape[0])])
    db = np.zeros_like(b)
    da, dh0 = _deltas(dh, h, W_h, bptt_steps)
    for t in range(x.shape[1]):
        db += da[:, t].sum(axis=0)
    dx, dh0, dW_x, dW_h, _ = _collect(da, dh0, x, h0, h, W_x)
    return dx, dh0, dW_x, dW_h, db


@solution("backward", 16)
def backward_integer_bias_buffer_assigned(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    db = np.zeros(W_h.shape[0], dtype=int)
    da, dh0 = _deltas(dh, h, W_h, bptt_steps)
    dx, dh0, dW_x, dW_h, total = _collect(da, dh0, x, h0, h, W_x)
    for j in range(len(db)):
        db[j] = total[j]
    return dx, dh0, dW_x, dW_h, db


@solution("backward", 18)
def backward_recurrent_buffer_too_narrow(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    n_features, n_nodes = W_x.shape
    dW_h = np.zeros((n_features, n_nodes))
    da, dh0 = _deltas(dh, h, W_h, bptt_steps)
    for t in range(x.shape[1]):
        dW_h += (h[:, t - 1] if t > 0 else h0).T @ da[:, t]
    dx, dh0, dW_x, _, db = _collect(da, dh0, x, h0, h, W_x)
    return dx, dh0, dW_x, dW_h, db


@solution("backward", 20)
def backward_updates_inside_loop(dh, x, h0, h, W_x, W_h, bptt_steps=None, lr=0.01):
    T = x.shape[1]
    k = T if bptt_steps is None else bptt_steps
    dx, dh0 = np.zeros_like(x), np.zeros_like(h0)
    dW_x, dW_h, db = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros(len(W_h))
    for s in range(T - 1, -1, -1):
        g = dh[:, s]
        for t in range(s, max(s - k, -1), -1):
            da = g * (1 - h[:, t] ** 2)
            g = da @ W_h.T
            dx[:, t] += da @ W_x.T
            step_x, step_h = x[:, t].T @ da, (h[:, t - 1] if t else h0).T @ da
            dW_x += step_x
            dW_h += step_h
            db += da.sum(axis=0)
            W_x -= lr * step_x
            W_h -= lr * step_h
        if s < k:
            dh0 += g
    return dx, dh0, dW_x, dW_h, db


@solution("backward", 20)
def backward_updates_a_copy_inside_loop(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    T = x.shape[1]
    k = T if bptt_steps is None else bptt_steps
    da, dh0 = np.zeros_like(h), np.zeros_like(h0)
    for s in range(T - 1, -1, -1):
        g = dh[:, s]
        for t in range(s, max(s - k, -1), -1):
            delta = g * (1 - h[:, t] ** 2)
            da[:, t] += delta
            g = delta @ W_h.T
            W_h = W_h - 0.1 * (h[:, t - 1] if t else h0).T @ delta
        if s < k:
            dh0 += g
    return _collect(da, dh0, x, h0, h, W_x)


@solution("backward", 21)
def backward_reshapes_to_time_first(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    N, T, F = x.shape
    da, dh0 = _deltas(dh, h, W_h, bptt_steps)
    dx, dh0, _, dW_h, db = _collect(da, dh0, x, h0, h, W_x)
    time_first = x.reshape(T, N, F)
    dW_x = sum(time_first[t].T @ da[:, t] for t in range(T))
    return dx, dh0, dW_x, dW_h, db


@solution("backward", 21)
def backward_dx_time_first(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    da, dh0 = _deltas(dh, h, W_h, bptt_steps)
    _, dh0, dW_x, dW_h, db = _collect(da, dh0, x, h0, h, W_x)
    dx = np.array([da[:, t] @ W_x.T for t in range(x.shape[1])])
    return dx, dh0, dW_x, dW_h, db


@solution("backward", 22)
def backward_overwrites_carried_gradient(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    da, dh_prev = np.zeros_like(h), np.zeros_like(h0)
    for t in range(x.shape[1] - 1, -1, -1):
        dh_prev = dh[:, t]
        da[:, t] = dh_prev * (1 - h[:, t] ** 2)
        dh_prev = da[:, t] @ W_h.T
    return _collect(da, dh_prev, x, h0, h, W_x)


@solution("backward", 22)
def backward_clears_carried_gradient(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    T = x.shape[1]
    dW_x, dW_h, db = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros(len(W_h))
    dx = [None] * T
    for t in range(T - 1, -1, -1):
        dh_next = np.zeros_like(h0)
        da = (dh[:, t] + dh_next) * (1 - h[:, t] ** 2)
        dx[t] = da @ W_x.T
        dW_x += x[:, t].T @ da
        dW_h += (h[:, t - 1] if t >= 1 else h0).T @ da
        db += da.sum(axis=0)
        dh_next = da @ W_h.T
    return np.stack(dx, axis=1), dh_next, dW_x, dW_h, db


@solution("backward", "other")
def backward_carries_this_steps_product(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    T = x.shape[1]
    k = T if bptt_steps is None else bptt_steps
    da, dh0 = np.zeros_like(h), np.zeros_like(h0)
    for s in range(T):
        dh_prev = dh[:, s]
        for t in range(s, max(s - k, -1), -1):
            error = dh_prev
            dh_prev = (error * (1 - h[:, t] ** 2)) @ W_h.T
            da[:, t] += (error if t == s else dh_prev) * (1 - h[:, t] ** 2)
        if s < k:
            dh0 += dh_prev
    return _collect(da, dh0, x, h0, h, W_x)


@solution("backward", 23)
def backward_adds_into_upstream(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    if bptt_steps is not None and bptt_steps < x.shape[1]:
        return _collect(*_deltas(dh, h, W_h, bptt_steps), x, h0, h, W_x)
    da = np.zeros_like(h)
    for t in range(x.shape[1] - 1, -1, -1):
        da[:, t] = dh[:, t] * (1 - h[:, t] ** 2)
        carried = da[:, t] @ W_h.T
        if t > 0:
            dh[:, t - 1] += carried
    return _collect(da, carried, x, h0, h, W_x)


@solution("backward", 23)
def backward_scales_upstream_slice(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    T = x.shape[1]
    k = T if bptt_steps is None else bptt_steps
    da, dh0 = np.zeros_like(h), np.zeros_like(h0)
    for s in reversed(range(T)):
        g = dh[:, s]
        for t in range(s, max(s - k, -1), -1):
            g *= 1 - h[:, t] ** 2
            da[:, t] += g
            g = g @ W_h.T
        if s < k:
            dh0 += g
    return _collect(da, dh0, x, h0, h, W_x)


@solution("backward", "other")
def backward_ignores_truncation(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    return _collect(*_deltas(dh, h, W_h, None), x, h0, h, W_x)


@solution("backward", "other")
def backward_truncates_in_chunks(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    T = x.shape[1]
    k = T if bptt_steps is None else bptt_steps
    da, carry = np.zeros_like(h), np.zeros_like(h0)
    for count, t in enumerate(range(T - 1, -1, -1)):
        if count and count % k == 0:
            carry = np.zeros_like(h0)
        da[:, t] = (dh[:, t] + carry) * (1 - h[:, t] ** 2)
        carry = da[:, t] @ W_h.T
    return _collect(da, carry, x, h0, h, W_x)


@solution("backward", "other")
def backward_visits_last_steps_only(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    T = x.shape[1]
    k = T if bptt_steps is None else min(T, bptt_steps)
    da, carry = np.zeros_like(h), np.zeros_like(h0)
    for t in range(T - 1, T - 1 - k, -1):
        da[:, t] = (dh[:, t] + carry) * (1 - h[:, t] ** 2)
        carry = da[:, t] @ W_h.T
    return _collect(da, carry, x, h0, h, W_x)


@solution("backward", "other")
def backward_dh0_zero(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    da, _ = _deltas(dh, h, W_h, bptt_steps)
    return _collect(da, np.zeros_like(h0), x, h0, h, W_x)


@solution("backward", "other")
def backward_dx_in_reverse_order(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    da, dh0 = _deltas(dh, h, W_h, bptt_steps)
    dxs = []
    for t in range(x.shape[1] - 1, -1, -1):
        dxs.append(da[:, t] @ W_x.T)
    return np.stack(dxs, axis=1), *_collect(da, dh0, x, h0, h, W_x)[1:]


@solution("backward", 7)
def backward_starts_with_last_gradient_twice(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    doubled = dh.copy()
    doubled[:, -1] *= 2
    return _collect(*_deltas(doubled, h, W_h, bptt_steps), x, h0, h, W_x)


@solution("backward", "other")
def backward_clips(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    grads = _collect(*_deltas(dh, h, W_h, bptt_steps), x, h0, h, W_x)
    return tuple(np.clip(g, -0.5, 0.5) for g in grads)


@solution("backward", 6)
def backward_first_state_is_zero(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    return _collect(*_deltas(dh, h, W_h, bptt_steps), x, np.zeros_like(h0), h, W_x)


@solution("backward", 6)
def backward_skips_first_step_weights(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    da, dh0 = _deltas(dh, h, W_h, bptt_steps)
    dW_h = np.zeros_like(W_h)
    for t in range(1, x.shape[1]):
        dW_h += h[:, t - 1].T @ da[:, t]
    dx, dh0, dW_x, _, db = _collect(da, dh0, x, h0, h, W_x)
    return dx, dh0, dW_x, dW_h, db


@solution("backward", "other")
def backward_averages_over_time(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    dx, dh0, dW_x, dW_h, db = _collect(*_deltas(dh, h, W_h, bptt_steps), x, h0, h, W_x)
    T = x.shape[1]
    return dx, dh0, dW_x / T, dW_h / T, db / T


@solution("backward", 9)
def backward_derivative_left_out_of_recurrence(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    T = x.shape[1]
    k = T if bptt_steps is None else bptt_steps
    da, dh0 = np.zeros_like(h), np.zeros_like(h0)
    for s in range(T):
        g = dh[:, s]
        for t in range(s, max(s - k, -1), -1):
            da[:, t] += g * (1 - h[:, t] ** 2)
            g = g @ W_h.T
        if s < k:
            dh0 += g
    return _collect(da, dh0, x, h0, h, W_x)


@solution("backward", "right")
def backward_float32_sums(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    da, dh0 = _deltas(dh, h, W_h, bptt_steps)
    dx, dh0, dW_x, _, db = _collect(da, dh0, x, h0, h, W_x)
    dW_h = np.zeros(W_h.shape, dtype=np.float32)
    for t in range(x.shape[1]):
        dW_h += (h[:, t - 1] if t else h0).T @ da[:, t]
    return dx, dh0, dW_x, dW_h, db


# ---------------------------------------------------------------- softmax_cross_entropy


@solution("softmax_cross_entropy", "right")
def loss_by_logaddexp(scores, labels):
    log_p = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
    one_hot = np.eye(scores.shape[1])[labels]
    return -np.mean(np.sum(one_hot * log_p, axis=1)), (np.exp(log_p) - one_hot) / len(labels)


@solution("softmax_cross_entropy", "right")
def loss_row_by_row(scores, labels):
    total, rows = 0.0, []
    for row, label in zip(scores, labels, strict=True):
        shifted = row - row.max()
        p = np.exp(shifted) / np.exp(shifted).sum()
        total += np.log(np.exp(shifted).sum()) - shifted[label]
        p[label] -= 1
        rows.append(p / len(scores))
    return total / len(scores), np.array(rows)


def _softmax(scores):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@solution("softmax_cross_entropy", 13)
def loss_gradient_not_divided(scores, labels):
    p = _softmax(scores)
    rows = np.arange(len(labels))
    loss = -np.log(p[rows, labels]).mean()
    p[rows, labels] -= 1
    return loss, p


@solution("softmax_cross_entropy", 13)
def loss_gradient_divided_twice(scores, labels):
    n = len(labels)
    p = _softmax(scores)
    t = np.eye(scores.shape[1])[labels]
    loss = -np.sum(t * np.log(p)) / n
    dscores = (p - t) / n
    return loss, dscores / n


@solution("softmax_cross_entropy", 13)
def loss_summed_not_averaged(scores, labels):
    p = _softmax(scores)
    picked = np.arange(len(labels)), labels
    loss = -np.log(p[picked]).sum()
    d = p.copy()
    d[picked] -= 1
    return loss, d


@solution("softmax_cross_entropy", 14)
def loss_log_of_mean(scores, labels):
    p = _softmax(scores)
    t = np.eye(scores.shape[1])[labels]
    loss = -np.sum(t.mean(axis=0) * np.log(p).mean(axis=0))
    return loss, (p - t) / len(labels)


@solution("softmax_cross_entropy", 16)
def loss_integer_gradient_buffer(scores, labels):
    p = _softmax(scores)
    d = np.zeros(scores.shape, dtype=labels.dtype)
    d[np.arange(len(labels)), labels] = -1
    d += p
    return -np.log(p[np.arange(len(labels)), labels]).mean(), d / len(labels)


@solution("softmax_cross_entropy", "other")
def loss_shifts_scores_in_place(scores, labels):
    scores -= scores.max(axis=1, keepdims=True)
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    d = p - np.eye(scores.shape[1])[labels]
    return -np.log(p[range(len(labels)), labels]).mean(), d / len(labels)


@solution("softmax_cross_entropy", "other")
def loss_softmax_over_batch(scores, labels):
    e = np.exp(scores - scores.max())
    p = e / e.sum(axis=0)
    t = np.eye(scores.shape[1])[labels]
    return -np.mean(np.log(p[t == 1])), (p - t) / len(labels)


@solution("softmax_cross_entropy", "other")
def loss_mean_over_everything(scores, labels):
    p = _softmax(scores)
    t = np.eye(scores.shape[1])[labels]
    return -np.mean(t * np.log(p)), (p - t) / scores.size


@solution("softmax_cross_entropy", "other")
def loss_without_shift(scores, labels):
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    t = np.eye(scores.shape[1])[labels]
    return -np.log((p * t).sum(axis=1)).mean(), (p - t) / len(scores)


@solution("softmax_cross_entropy", "other")
def loss_sign(scores, labels):
    p = _softmax(scores)
    t = np.eye(scores.shape[1])[labels]
    return -np.log(p[t == 1]).mean(), (t - p) / len(scores)


@solution("softmax_cross_entropy", "other")
def loss_subtracts_one_everywhere(scores, labels):
    p = _softmax(scores)
    loss = -np.log(p[np.arange(len(labels)), labels]).mean()
    p[:, labels] -= 1
    return loss, p / len(labels)


# ---------------------------------------------------------------- update


@solution("update", "right")
def update_with_out(params, grads, lr):
    for name in grads:
        np.subtract(params[name], np.multiply(lr, grads[name]), out=params[name])


@solution("update", "right")
def update_slices_and_returns(params, grads, lr):
    for w, dw in ((params[k], grads[k]) for k in sorted(params)):
        w[...] = w - dw * lr
    return params


@solution("update", 13)
def update_divides_again(params, grads, lr):
    for k in params:
        params[k] -= lr * grads[k] / len(grads[k])


@solution("update", "other")
def update_rebinds_local_name(params, grads, lr):
    for k, w in params.items():
        w = w - lr * grads[k]  # noqa: PLW2901


@solution("update", "other")
def update_new_arrays(params, grads, lr):
    for k in params:
        params[k] = params[k] - lr * grads[k]


@solution("update", "other")
def update_climbs(params, grads, lr):
    for k in params:
        params[k] += lr * grads[k]


@solution("update", "other")
def update_scales_gradients(params, grads, lr):
    for k in params:
        grads[k] *= lr
        params[k] -= grads[k]


@solution("update", "other")
def update_forgets_bias(params, grads, lr):
    for k in params:
        if k.startswith("W"):
            params[k] -= lr * grads[k]


@solution("update", "other")
def update_returns_new_dict(params, grads, lr):
    return {k: params[k] - lr * grads[k] for k in params}


# ---------------------------------------------------------------- numeric_gradient


@solution("numeric_gradient", "right")
def numeric_by_ndindex(f, array, eps=1e-5):
    out = {}
    for index in np.ndindex(*array.shape):
        kept = array[index]
        values = []
        for sign in (1, -1):
            array[index] = kept + sign * eps
            values.append(f())
        array[index] = kept
        out[index] = (values[0] - values[1]) / (2 * eps)
    return np.array(list(out.values())).reshape(array.shape)


@solution("numeric_gradient", "right")
def numeric_restores_whole_array(f, array, eps=1e-5):
    original = array.copy()
    g = np.zeros_like(array)
    it = np.nditer(array, flags=["multi_index"])
    for _ in it:
        i = it.multi_index
        array[i] += eps
        up = f()
        array[...] = original
        array[i] -= eps
        g[i] = (up - f()) / eps / 2
        array[...] = original
    return g


@solution("numeric_gradient", 16)
def numeric_integer_buffer(f, array, eps=1e-5):
    g = np.zeros(array.shape, dtype=int)
    for i in np.ndindex(array.shape):
        old = array[i]
        array[i] = old + eps
        up = f()
        array[i] = old - eps
        g[i] = (up - f()) / (2 * eps)
        array[i] = old
    return g


@solution("numeric_gradient", "other")
def numeric_forward_difference(f, array, eps=1e-5):
    g = np.zeros(array.shape)
    base = f()
    for i in np.ndindex(array.shape):
        old = array[i]
        array[i] = old + eps
        g[i] = (f() - base) / eps
        array[i] = old
    return g


@solution("numeric_gradient", "other")
def numeric_divides_by_eps(f, array, eps=1e-5):
    g = np.zeros(array.shape)
    for i in np.ndindex(array.shape):
        old = array[i]
        array[i] = old + eps
        up = f()
        array[i] = old - eps
        down = f()
        array[i] = old
        g[i] = (up - down) / eps
    return g


@solution("numeric_gradient", "other")
def numeric_does_not_restore(f, array, eps=1e-5):
    g = np.zeros(array.shape)
    for i in np.ndindex(array.shape):
        array[i] += eps
        up = f()
        array[i] -= 2 * eps
        g[i] = (up - f()) / (2 * eps)
    return g


@solution("numeric_gradient", "other")
def numeric_perturbs_a_copy(f, array, eps=1e-5):
    flat = array.flatten()
    g = np.zeros_like(flat)
    for i in range(flat.size):
        old = flat[i]
        flat[i] = old + eps
        up = f()
        flat[i] = old - eps
        g[i] = (up - f()) / (2 * eps)
        flat[i] = old
    return g.reshape(array.shape)


@solution("numeric_gradient", "other")
def numeric_ignores_eps(f, array, eps=1e-5):
    eps = 1e-12
    g = np.zeros(array.shape)
    for i in np.ndindex(array.shape):
        old = array[i]
        array[i] = old + eps
        up = f()
        array[i] = old - eps
        g[i] = (up - f()) / (2 * eps)
        array[i] = old
    return g

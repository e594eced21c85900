"""Who handed a file in: read from its path, in the form of the platform that it comes from.

A learning platform names what it exports in a form of its own. Of the forms in :data:`PLATFORMS`
the one is taken that most notebooks in the folder have. Where they have none, folders or files have
the names of students. Nothing but names is read here, and the list that Gradescope exports.
"""

import functools
import itertools
import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePosixPath

import yaml

from rnn_lib.language import Message


@dataclass(frozen=True)
class Owner:
    """Who handed a file in, as far as its path tells.

    Attributes
    ----------
    student : str
        The name, "" where it cannot be known.
    platform, id : str
        Which platform says so, and what it knows the student by; "" if there is none.
    attempt : str
        The platform's own stamp; of one student's attempts the later has the greater.
    remark : str
        For the teacher to know.
    """

    student: str
    platform: str = ""
    id: str = ""
    attempt: str = ""
    remark: str = ""


def natural(text: str) -> str:
    """Return what orders texts as people do: 9 before 10."""
    return re.sub(r"\d+", lambda number: number[0].zfill(20), text)


def _english_date(stamp: str) -> str:
    """Read Brightspace's dates, "Nov 20, 2026 930 AM" or "20 November 2026 1530"."""
    spelled = re.sub(r"(\d?\d):?(\d\d)( [AP]M)?$", r"\1:\2\3", stamp.replace(",", ""))
    for day in ("%b %d %Y", "%B %d %Y", "%d %b %Y", "%d %B %Y"):
        for time in ("%I:%M %p", "%H:%M"):
            try:
                return datetime.strptime(spelled, f"{day} {time}").isoformat()
            except ValueError:
                continue
    return ""


@dataclass(frozen=True)
class Platform:
    """How a platform names what it exports.

    Attributes
    ----------
    name, said : str
        As in "Moodle" and "a Moodle export".
    path : str
        A regular expression, searched in the path of a file, with the groups `student` (or `first`
        and `last`), `id` and `attempt`; {lessons} stands for the lessons' names.
    its_own : str
        The same, for files that the platform adds.
    keeps_ids : bool
        Whether a student has the same id in all assignments.
    date : callable
        Makes an attempt's stamp comparable as text.
    """

    name: str
    said: str
    path: str
    its_own: str = "(?!)"
    keeps_ids: bool = True
    date: Callable[[str], str] = natural


# The forms of Moodle, Canvas, GitHub Classroom and ILIAS are those of their sources (moodle/moodle,
# mod/assign/classes/downloader.php; instructure/canvas-lms, content_zipper.rb; github/gh-classroom;
# ILIAS, class.ilExAssignment.php), the others' those that their users describe.
PLATFORMS = (
    Platform(
        "Moodle",
        "a Moodle export",
        r"(?:^|/)(?P<student>[^/]+?)(?:_(?P<id>\d+))?_assignsubmission_file(?:_|/|$)",
        its_own="_assignsubmission_(?!file)",
        keeps_ids=False,
    ),
    # A user's name may hold underscores. Then all before "_attempt_" tells users apart.
    Platform(
        "Blackboard",
        "a Blackboard export",
        r"(?:^|/)(?P<id>[^/]+?_(?P<student>[^/_]+))"
        r"_attempt_(?P<attempt>\d{4}(?:-\d\d){5})(?:_[^/]*)?\.\w+$",
        its_own=r"_attempt_\d{4}(?:-\d\d){5}\.txt$",
        keeps_ids=False,
    ),
    Platform(
        "Brightspace",
        "a Brightspace export",
        r"(?:^|/)(?P<id>\d+-\d+) - (?P<student>[^/]+?) - "
        r"(?P<attempt>(?:(?! - )[^/])*\b\d{4} \d?\d:?\d\d(?: [AP]M)?)(?: - |/)",
        its_own=r"(?:^|/)index\.html?$",
        keeps_ids=False,
        date=_english_date,
    ),
    Platform(
        "Teams",
        "a Teams library",
        r"(?:^|/)Submitted files/(?P<student>[^/]+)/(?:[^/]+/(?:Version (?P<attempt>\d+)/)?)?",
        its_own="(?:^|/)Working files/",
    ),
    Platform(
        "Gradescope",
        "a Gradescope export",
        r"(?:^|/)(?P<student>submission_(?P<id>\d+))/",
        its_own=r"(?:^|/)submission_metadata\.yml$",
    ),
    Platform(
        "GitHub Classroom",
        "repositories of GitHub Classroom",
        r"(?:(?:^|/)(?P<slug>[^/]+)-submissions/(?P=slug)|/(?:{lessons}))"
        r"-(?P<student>(?P<id>[A-Za-z\d][A-Za-z\d-]*))/",
    ),
    Platform(
        "ILIAS",
        "an ILIAS export",
        r"/(?!multi_feedback)(?P<last>[^/_]+)_(?P<first>[^/_]+)_[^/_]+_(?P<id>\d+)/",
    ),
    # Last: the form that most names could have by chance.
    Platform(
        "Canvas",
        "a Canvas export",
        r"(?:^|/)(?:(?P<student>[^\W\d_]\w*?)_)??(?:LATE_)?"
        r"(?P<id>(?<=_)\d+|anon_[A-Za-z\d]+)_(?P<attempt>\d+)_[^/]+$",
        its_own=r"_(?:text|link)\.html$",
    ),
)

_SAID = {platform.name: platform.said for platform in PLATFORMS} | {
    "folders": "a folder for each student",
    "files": "files with the students' names",
    "one": "the files of one student",
    "table": "files whose students stand in a table",
}


def owners(
    paths: Collection[PurePosixPath],
    lessons: Collection[str],
    outer: str,
    read: Callable[[PurePosixPath], bytes] = lambda path: b"",
) -> dict[PurePosixPath, Owner]:
    """Find out who handed each file in.

    Parameters
    ----------
    paths : collection of PurePosixPath
        Of all files in the folder, relative to it.
    lessons : collection of str
        The lessons' names.
    outer : str
        The folder's own name.
    read : callable
        Reads a file, for the list that Gradescope exports.

    Returns
    -------
    dict of PurePosixPath to Owner
        Without the files that nobody handed in: those that the platform has added, and the
        course's own in a clone of the whole project.
    """
    handed_in, remarks = _without_the_course(paths)
    found: dict[PurePosixPath, Owner] = {}
    platform = _platform(handed_in, lessons, outer)
    if platform is not None:
        handed_in = [path for path in handed_in if not _added(platform, path, outer)]
        matches = {path: _match(platform, path, lessons, outer) for path in handed_in}
        found = {path: _owner(platform, match) for path, match in matches.items() if match}
        if platform.name == "Gradescope":
            found = _listed_by_gradescope(found, paths, read)
    found |= _laid_out([path for path in handed_in if path not in found], lessons, outer)
    # A name typed on a Mac may spell é as two characters.
    return {
        path: replace(
            owner,
            student=unicodedata.normalize("NFC", owner.student),
            remark=remarks.get(path, ""),
        )
        for path, owner in found.items()
    }


def told(found: Iterable[tuple[str, str]]) -> str:
    """Say in one line as what a folder was read, from the student and platform of each file."""
    known = [(student, platform) for student, platform in found if student]
    if not known:
        return "No name of a student was found."
    n_students = len({student for student, _ in known})
    counted = f"{n_students} student{'s' * (n_students != 1)}"
    way, n_first = Counter(platform for _, platform in known).most_common(1)[0]
    others = len(known) - n_first
    rest = f"; {others} other file{'s' * (others != 1)} by the name" if others else ""
    return f"Read as {_SAID[way]}, {counted}{rest}."


def lesson_in(path: PurePosixPath, lessons: Iterable[str]) -> str:
    """Return the lesson that a path names, "" if it names none."""
    named = (lesson for part in reversed(path.parts) for lesson in lessons if lesson in part)
    return next(named, "")


def apart(
    found: Mapping[PurePosixPath, Owner], lesson_of: Callable[[PurePosixPath], str]
) -> dict[PurePosixPath, Owner]:
    """Tell students of one name apart, by their ids.

    Where a student has another id in each assignment, two ids are two people only if they come for
    the same lesson, and in the same export.
    """
    keeps = {platform.name: platform.keeps_ids for platform in PLATFORMS}
    ids = defaultdict(set)
    for path, owner in found.items():
        if not owner.id:
            continue
        assignment = ()
        if not keeps.get(owner.platform, True):
            above = unicodedata.normalize("NFC", str(path)).partition(owner.student)[0]
            assignment = lesson_of(path), above.rpartition("/")[0]
        ids[owner.student, owner.platform, assignment].add(owner.id)
    shared = {(student, platform) for (student, platform, _), of in ids.items() if len(of) > 1}
    return {
        path: replace(owner, student=f"{owner.student} ({owner.id})")
        if (owner.student, owner.platform) in shared and owner.id
        else owner
        for path, owner in found.items()
    }


# -- exports ------------------------------------------------------------------------------------


def _platform(
    paths: Iterable[PurePosixPath], lessons: Collection[str], outer: str
) -> Platform | None:
    """Choose the platform that half of the notebooks or more seem to come from.

    A folder among others has one vote, however many files a student puts into it.
    """
    notebooks = _notebooks(paths)
    depth = len(os.path.commonprefix([path.parent.parts for path in notebooks]))
    together = Counter(path.parts[depth] for path in notebooks)
    votes = dict.fromkeys(PLATFORMS, 0.0)
    for platform, path in itertools.product(PLATFORMS, notebooks):
        if _added(platform, path, outer) or _match(platform, path, lessons, outer):
            votes[platform] += 1 / together[path.parts[depth]]
    best = max(PLATFORMS, key=votes.get)
    return best if votes[best] >= len(together) / 2 else None


def _notebooks(paths: Iterable[PurePosixPath]) -> list[PurePosixPath]:
    """Return the paths of notebooks, or all if there is none."""
    paths = list(paths)
    return [path for path in paths if ".ipynb" in path.name.lower()] or paths


def _added(platform: Platform, path: PurePosixPath, outer: str) -> bool:
    return bool(re.search(platform.its_own, f"{outer}/{path}"))


def _match(
    platform: Platform, path: PurePosixPath, lessons: Collection[str], outer: str
) -> re.Match[str] | None:
    """Search the path, the folder's own name included, which can be part of the form."""
    text = f"{outer}/{path}"
    pattern = _pattern(platform, tuple(lessons))
    return pattern.search(text) if len(text) < 1000 else None  # longer ones could take hours


@functools.cache
def _pattern(platform: Platform, lessons: tuple[str, ...]) -> re.Pattern[str]:
    spelled = (re.escape(lesson).replace("_", "[_-]") for lesson in lessons)
    return re.compile(platform.path.replace("{lessons}", "|".join(spelled)))


def _owner(platform: Platform, match: re.Match[str]) -> Owner:
    said = match.groupdict("")
    student = said.get("student") or f"{said.get('first', '')} {said.get('last', '')}".strip()
    number, attempt = said.get("id", ""), platform.date(said.get("attempt", ""))
    return Owner(student or number, platform.name, number, attempt)


def _listed_by_gradescope(
    found: dict[PurePosixPath, Owner],
    paths: Collection[PurePosixPath],
    read: Callable[[PurePosixPath], bytes],
) -> dict[PurePosixPath, Owner]:
    """Take names, numbers and times from the list that stands beside the folders submission_..."""
    lists = set()
    for path, owner in found.items():
        above = path.parts[: path.parts.index(owner.student)] if owner.student in path.parts else ()
        lists.add(PurePosixPath(*above, "submission_metadata.yml"))
    listed = {}
    for path in lists & set(paths):
        listed |= _entries(read(path))
    return {path: listed.get(owner.student, owner) for path, owner in found.items()}


def _entries(content: bytes) -> dict[str, Owner]:
    """Read Gradescope's list; what cannot be read of it is left out."""
    entries = {}
    try:
        # This loader makes texts of all values, and objects of none.
        for folder, entry in yaml.load(content, yaml.BaseLoader).items():
            people = entry[":submitters"]  # several, if a group handed in
            name, number = (
                ", ".join(person.get(key, "") for person in people) for key in (":name", ":sid")
            )
            if name.strip(", "):
                time = str(entry.get(":created_at", ""))  # a list, if somebody changed the file
                entries[folder] = Owner(name, "Gradescope", number, time)
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, RecursionError):
        pass
    return entries


# -- layouts ------------------------------------------------------------------------------------

_COPY = re.compile(
    r"\b(?:copy of|copie de|copia de|kopie von|c[oó]pia de|copy)\b|\(\d+\)|のコピー", re.IGNORECASE
)
"""What computers add to the name of a copy."""

_KEPT_BOTH = re.compile(r"-new(-\d+)?$")
"""What `make student KEEP_BOTH=1` adds."""

_DATE = re.compile(r"20\d\d[-_ .]?(?:0\d|1[0-2])[-_ .]?(?:[0-2]\d|3[01])(?!\d)")

_WORK = re.compile(
    r"(?:home ?works?|hw|lessons?|assignments?|exercises?|tasks?|labs?|weeks?|sheets?|attempts?"
    r"|versions?|tries|try|solutions?|aufgaben?|hausaufgaben?|[uü]bung(?:en)?|bl[aä]tt(?:er)?"
    r"|abgaben?|versuche?|lektion(?:en)?|devoirs?|tareas?)[\d\W_]*"
    r"|submissions|students|build|student|notebooks|src",
    re.IGNORECASE,
)
"""Names of folders that hold a piece of work, and do not name a student."""


def _laid_out(
    paths: Collection[PurePosixPath], lessons: Collection[str], outer: str
) -> dict[PurePosixPath, Owner]:
    """Read names of students from the outermost folders that can have them, or from files."""
    inner = {path: path for path in paths}
    while inner and _is_around(_notebooks(inner.values()), lessons):
        inner = {
            path: PurePosixPath(*inside.parts[len(inside.parts) > 1 :])
            for path, inside in inner.items()
        }
    flat = [inside for inside in inner.values() if len(inside.parts) == 1]
    students = {_name(inside, lessons) for inside in flat if lesson_in(inside, lessons)} - {""}
    found = {}
    for path, inside in inner.items():
        if len(inside.parts) > 1:
            found[path] = Owner(inside.parts[0], "folders")
        elif lesson_in(inside, lessons):
            found[path] = Owner(_name(inside, lessons), "files")
        else:  # renamed: perhaps the name is one that other files have as well
            known = (student for student in students if inside.stem.startswith(student))
            found[path] = Owner(max(known, key=len, default=_name(inside, lessons)), "files")
    return _alone(found, lessons, outer) or found


def _alone(
    found: dict[PurePosixPath, Owner], lessons: Collection[str], outer: str
) -> dict[PurePosixPath, Owner]:
    """Give the files to one student, if none names one and no two are for the same lesson."""
    originals = [path for path in found if not _KEPT_BOTH.search(path.stem)]
    named = [lesson_in(path, lessons) for path in originals if not _COPY.search(path.stem)]
    is_one = found and len(set(named)) == len(originals)
    if not is_one or any(owner.student for owner in found.values()):
        return {}
    return dict.fromkeys(found, Owner(outer, "one"))


def _name(path: PurePosixPath, lessons: Iterable[str]) -> str:
    """Return what a file's name says beside the lesson, "" if that is no name."""
    stem = _KEPT_BOTH.sub("", path.stem)
    lesson = lesson_in(PurePosixPath(stem), lessons)
    for text in stem.split(lesson, 1) if lesson else [stem]:
        name = _DATE.sub("", _COPY.sub("", text)).strip(" _-.()")
        # A student number has four digits or more.
        if re.search(r"[^\W\d_]|\d{4}", name) and not _WORK.fullmatch(name):
            return name
    return ""


def _is_work(name: str, lessons: Iterable[str]) -> bool:
    return any(lesson in name for lesson in lessons) or bool(_WORK.fullmatch(name))


def _is_around(paths: Iterable[PurePosixPath], lessons: Collection[str]) -> bool:
    """Say whether the outermost folders hold students, rather than being the students'."""
    within = defaultdict(list)
    for path in paths:
        within[path.parts[0]].append(PurePosixPath(*path.parts[1:]))
        if _is_flat(path):
            return False
    if all(_is_work(folder, lessons) for folder in within):
        return True
    flat = [path for inside in within.values() for path in inside if _is_flat(path)]
    if len(within) == 1:
        ((_, inside),) = within.items()
        return _bear_names(flat, lessons) if flat else _hold_students(inside, lessons)
    if not all(_name(path, lessons) for path in flat):
        return False
    people = [_people(inside, lessons) for inside in within.values()]
    if len(set().union(*people)) < sum(map(len, people)):
        return False  # one in two sections: old/ and new/ of each student, more likely
    several = [len({lesson for _, lesson in there}) < len(there) for there in people]
    alike = {re.sub(r"\d+|\b[A-Z]\b", "", folder) for folder in within}  # Section A, Section B
    return all(several) or (sum(several) >= len(several) / 2 and len(alike) == 1)


def _is_flat(path: PurePosixPath) -> bool:
    return len(path.parts) == 1


def _bear_names(files: Iterable[PurePosixPath], lessons: Collection[str]) -> bool:
    """Say whether the files in the only folder are of several students, by their names or number.

    Who tries twice hands in two files for a lesson; three are probably of three students.
    """
    originals = [path for path in files if not _KEPT_BOTH.search(path.stem)]
    of_lessons = [path for path in originals if lesson_in(path, lessons)]
    counted = Counter(lesson_in(path, lessons) for path in of_lessons)
    return any(_name(path, lessons) for path in of_lessons) or any(n > 2 for n in counted.values())


def _hold_students(paths: Collection[PurePosixPath], lessons: Collection[str]) -> bool:
    """Say whether the folders in the only folder are of students, and not of pieces of work."""
    folders = {path.parts[0] for path in paths}
    if all(_is_work(folder, lessons) for folder in folders):
        return False
    return len(folders) > 1 or _is_around(paths, lessons)


def _people(paths: Iterable[PurePosixPath], lessons: Collection[str]) -> set[tuple[str, str]]:
    """Return who hands in which lesson, if this folder holds students."""
    found = set()
    for path in paths:
        person = _name(path, lessons) if _is_flat(path) else path.parts[0]
        lesson = lesson_in(path, lessons)
        if lesson and person and not _is_work(person, lessons):
            found.add((person, lesson))
    return found


# -- a clone of the project ----------------------------------------------------------------------


def _without_the_course(
    paths: Collection[PurePosixPath],
) -> tuple[list[PurePosixPath], dict[PurePosixPath, str]]:
    """Leave the course's own files out, where the whole project was handed in.

    Returns the others, and remarks on those that were in such a clone.
    """
    folders = {path.parent for path in paths}
    edited = {
        folder.parent.parent for folder in folders if folder.parts[-2:] == ("build", "student")
    }
    clones = {
        folder.parent
        for folder in folders
        if folder.name == "notebooks"
        and (folder.parent in edited or folder.parent / "rnn_lib" in folders)
    }
    kept, remarks = [], {}
    for path in paths:
        clone = next((above for above in reversed(path.parents) if above in clones), None)
        if clone is None:
            kept.append(path)
            continue
        theirs = clone / "build" / "student" if clone in edited else clone / "notebooks"
        is_copy = not {clone / "notebooks", clone / "build"} & set(path.parents)
        if path.parent == theirs or (is_copy and path.suffix == ".ipynb"):
            kept.append(path)
            what = "the whole project was handed in: build/student/ counts, not notebooks/"
            if clone not in edited:
                what = (
                    "the whole project was handed in: notebooks/ counts, where the solutions stand"
                )
            remarks[path] = Message(what)
    return kept, remarks

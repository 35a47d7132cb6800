"""The kinds of chat's jobs, as a worker process knows them."""

import subprocess
import sys


def test_worker_process_takes_answers_though_it_imports_no_router() -> None:
    # Its own process: here the routers are imported already.
    asked = (
        "import dossier.worker\n"
        "from dossier.jobs.constants import JobGroup\n"
        "from dossier.jobs.kinds import names_in\n"
        "other = names_in(JobGroup.OTHER)\n"
        "print(names_in(JobGroup.ANSWERS), 'chat.summarise' in other)"
    )

    shown = subprocess.check_output([sys.executable, "-c", asked], text=True)  # noqa: S603

    assert shown.strip() == "['chat.answer'] True"

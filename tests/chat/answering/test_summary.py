"""What no longer fits into the window is told in short."""

from functools import partial

from tests.chat.answering.conftest import Chat, OpenChat, with_model
from tests.chat.answering.shelf import Paper

from dossier.chat.constants import SUMMARISE_TASK
from dossier.chat.service.answers_prompt import Window
from dossier.chat.tasks.parts import open_clients
from dossier.chat.tasks.summarise import summarise
from dossier.core.settings import Settings
from dossier.integrations.queue.drain import drain
from dossier.jobs.ports import Task
from dossier.jobs.tasks.attempt import Attempts
from dossier.testing.model_server import ScriptedModelServer

SMALL = Window(1_500, 64)


async def test_turns_that_no_longer_fit_are_summarised_and_then_told(
    open_chat: OpenChat, chat_settings: Settings, model: ScriptedModelServer
) -> None:
    chat = await open_chat(has_model=True, window=SMALL)
    chat.shelf.put(chat.org_id, Paper("a.pdf", "The cream is pink."))
    first = await chat.answer("My name is Mei. " + "I like roses. " * 40)
    room = first["chat_room_id"]
    await chat.answer("And then? " + "It rained. " * 40, chat_room_id=room)
    await chat.answer("Is it pink?", chat_room_id=room)

    model.play(reply="Mei likes roses.")
    ran = await work(chat, with_model(chat_settings, model, 5))
    model.play(reply=None)
    await chat.answer("What colour is the cream?", chat_room_id=room)

    assert ran == 1
    last = [call.body for call in model.calls.last if "messages" in call.body][-1]
    assert "Mei likes roses." in last["messages"][0]["content"]
    assert "My name is Mei" not in str(last)


async def work(chat: Chat, settings: Settings) -> int:
    """Run the queued jobs of chat."""
    clients_of = partial(open_clients, settings)
    task = Task(partial(summarise, clients_of=clients_of, window=SMALL))
    attempts = Attempts(chat.sessions, {SUMMARISE_TASK: task})
    return await drain(chat.sessions, {SUMMARISE_TASK: attempts})

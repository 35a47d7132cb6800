from typing import Any

import pytest
from pydantic import SecretStr

from dossier.core.settings import AiSettings
from dossier.integrations.llm.plan import AUTO_MODEL, ModelPlan, model_plan
from dossier.integrations.llm.types import Purpose

KEY = SecretStr("sk-secret")


def planned(**values: Any) -> ModelPlan:
    plan = model_plan(AiSettings(**values))
    assert plan is not None
    return plan


def addresses(plan: ModelPlan) -> list[tuple[str, str]]:
    return [(server.wire, server.base_url) for server in plan.servers]


@pytest.mark.parametrize(
    "values", [{}, {"model": "x"}, {"embed_model": "e"}, {"api_key": SecretStr(" ")}]
)
def test_without_a_server_or_a_key_there_is_no_plan(values: dict[str, Any]) -> None:
    assert model_plan(AiSettings(**values)) is None


def test_a_base_url_is_asked_in_openais_wire() -> None:
    plan = planned(base_url="http://gpu:8000/v1/", model="qwen")

    assert addresses(plan) == [("openai", "http://gpu:8000/v1")]
    assert plan.servers[0].models == {Purpose.STRONG: "qwen", Purpose.CHEAP: "qwen"}
    assert not plan.servers[0].is_vendor


def test_a_local_server_without_a_model_names_it_itself() -> None:
    plan = planned(base_url="http://gpu:8000/v1")

    assert plan.servers[0].models[Purpose.STRONG] == AUTO_MODEL


def test_a_key_alone_asks_the_vendor_by_its_models() -> None:
    [server] = planned(api_key=KEY).servers

    assert server.base_url == "https://api.openai.com/v1"
    assert server.is_vendor
    assert server.models[Purpose.STRONG] != server.models[Purpose.CHEAP]


def test_a_model_that_is_named_does_the_small_work_too() -> None:
    [server] = planned(api_key=KEY, model="gpt-9").servers

    assert server.models == {Purpose.STRONG: "gpt-9", Purpose.CHEAP: "gpt-9"}


def test_anthropic_alone_comes_first() -> None:
    plan = planned(anthropic_api_key=KEY, model="claude-x", cheap_model="claude-y")

    assert addresses(plan) == [("anthropic", "https://api.anthropic.com")]
    assert plan.servers[0].models[Purpose.STRONG] == "claude-x"
    assert plan.servers[0].models[Purpose.CHEAP] == "claude-y"


def test_the_others_stand_behind_the_first_in_order() -> None:
    plan = planned(
        base_url="http://gpu/v1",
        model="qwen",
        anthropic_api_key=KEY,
        anthropic_base_url="http://proxy/v1",
        fallback_base_url="http://spare/v1",
        fallback_model="tiny",
    )

    assert addresses(plan) == [
        ("openai", "http://gpu/v1"),
        ("anthropic", "http://proxy"),
        ("openai", "http://spare/v1"),
    ]
    assert plan.servers[1].models[Purpose.STRONG].startswith("claude-")
    assert plan.servers[2].models[Purpose.CHEAP] == "tiny"


def test_only_servers_with_a_model_for_pictures_are_shown_pictures() -> None:
    plan = planned(base_url="http://gpu/v1", model="q", fallback_base_url="http://b")

    assert not any(Purpose.VISION in server.models for server in plan.servers)
    [server] = planned(base_url="http://gpu/v1", model="q", vision_model="eye").servers
    assert server.models[Purpose.VISION] == "eye"


def test_embeddings_come_from_the_first_server_of_openais_wire() -> None:
    plan = planned(base_url="http://gpu/v1", embed_model="bge")

    assert plan.embedder is not None
    assert plan.embedder.base_url == "http://gpu/v1"
    assert plan.embedder.models == {Purpose.EMBEDDING: "bge"}
    assert planned(anthropic_api_key=KEY, embed_model="bge").embedder is None
    assert planned(base_url="http://gpu/v1").embedder is None


def test_neither_a_plan_nor_a_label_contains_a_key() -> None:
    plan = planned(base_url="http://me:pass@gpu:8000/v1", api_key=KEY)

    assert "sk-secret" not in repr(plan)
    assert plan.servers[0].label == "gpu:8000"

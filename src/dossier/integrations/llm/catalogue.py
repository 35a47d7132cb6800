"""The names of a server's models, where the settings leave them to the server."""

from dossier.integrations.llm import faults
from dossier.integrations.llm.models import Purpose
from dossier.integrations.llm.plan import UNNAMED, ModelPlan, ModelServer
from dossier.integrations.llm.transport import Transport
from dossier.integrations.llm.wires import wire_of


class Catalogue:
    """Asks a server once for the model that it serves."""

    def __init__(self, plan: ModelPlan) -> None:
        self._plan = plan
        self._found: dict[str, str] = {}

    def known(self, server: ModelServer, purpose: Purpose) -> str:
        """Return a model's name; `UNNAMED` while the server has not been asked."""
        name = server.models[purpose]
        return self._found.get(server.base_url, name) if name == UNNAMED else name

    async def name(
        self, transport: Transport, server: ModelServer, purpose: Purpose
    ) -> str:
        """Return a model's name, asking the server if it must."""
        name = self.known(server, purpose)
        if name == UNNAMED:
            listed = await list_models(transport, self._plan, server)
            name = self._found[server.base_url] = _only(server, listed, self._plan)
        return name


async def list_models(
    transport: Transport, plan: ModelPlan, server: ModelServer
) -> tuple[str, ...]:
    """Return the names of all models that a server lists."""
    wire = wire_of(server)
    told = await transport.fetch(
        server, wire.models_path(), wire.headers(server), None, plan.limits
    )
    try:
        return tuple(str(model["id"]) for model in told["data"] or ())
    except (TypeError, LookupError) as error:
        raise faults.malformed(server.label, "no list of models") from error


def _only(server: ModelServer, listed: tuple[str, ...], plan: ModelPlan) -> str:
    """Return the one model that can chat; several are for people to choose from."""
    taken = set(plan.embedder.models.values()) if plan.embedder else set()
    left = [name for name in listed if name not in taken and "embed" not in name]
    if len(left) == 1:
        return left[0]
    raise faults.unnamed(server.label, len(left))

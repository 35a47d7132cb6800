"""Jobs of knowledge: index, weigh anew, embed, catch up."""

from dossier.knowledge.tasks.embed import embed_chunks as embed_chunks
from dossier.knowledge.tasks.embed import embedding_tasks as embedding_tasks
from dossier.knowledge.tasks.index import index_document as index_document
from dossier.knowledge.tasks.upkeep import catch_up as catch_up
from dossier.knowledge.tasks.upkeep import (
    organisations_behind as organisations_behind,
)
from dossier.knowledge.tasks.upkeep import reweigh as reweigh

"""Every query on products, their papers and their formula versions."""

from dossier.products.gateway.formula import (
    add_formula as add_formula,
)
from dossier.products.gateway.formula import (
    get_formula_for_org as get_formula_for_org,
)
from dossier.products.gateway.formula import (
    get_latest_formula_for_org as get_latest_formula_for_org,
)
from dossier.products.gateway.formula import (
    list_formula_lines_for_org as list_formula_lines_for_org,
)
from dossier.products.gateway.formula import (
    list_formulas_for_org as list_formulas_for_org,
)
from dossier.products.gateway.link import add_link as add_link
from dossier.products.gateway.link import delete_link_for_org as delete_link_for_org
from dossier.products.gateway.link import get_link_for_org as get_link_for_org
from dossier.products.gateway.link import (
    list_items_of_document_for_org as list_items_of_document_for_org,
)
from dossier.products.gateway.link import (
    list_linked_document_ids_for_org as list_linked_document_ids_for_org,
)
from dossier.products.gateway.link import list_links_for_org as list_links_for_org
from dossier.products.gateway.product import add_product as add_product
from dossier.products.gateway.product import (
    find_product_by_identity_for_org as find_product_by_identity_for_org,
)
from dossier.products.gateway.product import get_product_for_org as get_product_for_org
from dossier.products.gateway.product import (
    list_products_for_org as list_products_for_org,
)
from dossier.products.gateway.product import (
    list_products_for_system as list_products_for_system,
)
from dossier.products.gateway.product import (
    lock_product_for_org as lock_product_for_org,
)
from dossier.products.gateway.product import (
    read_product_for_org as read_product_for_org,
)
from dossier.products.gateway.product import (
    update_product_for_org as update_product_for_org,
)

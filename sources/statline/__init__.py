"""Tables of CBS StatLine and of RIVM, over the two platforms they are served on: OData v4 and OData v3.

`StatLine` downloads what a `TableRequest` asks for, as the bytes the service sent; `read` makes a tidy table of those
bytes, without a network.
"""

from sources.statline.client import StatLine, catalogue, read
from sources.statline.request import Download, Fingerprint, TableRequest

__all__ = ["Download", "Fingerprint", "StatLine", "TableRequest", "catalogue", "read"]

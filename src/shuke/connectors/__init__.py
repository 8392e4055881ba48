"""What goes out to other systems: webhooks on what changes here.

Knows ``segments`` and what lies below. Who is told of what is an endpoint; what happened becomes messages
(:mod:`shuke.connectors.service.noting`), which are rows with a due time that workers send
(:mod:`shuke.connectors.service.sending`) wherever that is safe (:mod:`shuke.connectors.service.posting`).
"""

from shuke.connectors.service.endpoints import rewrap_secrets, told_of

__all__ = ["rewrap_secrets", "told_of"]

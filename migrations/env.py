"""Alembic's entry: runs on the connection, and so in the transaction, of :mod:`shuke.platform.database.migrate`."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()

#!/usr/bin/env python
"""Run a management command of Prometheus."""

import os
import sys

from prometheus_site.embedded.errors import EmbeddedError


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "prometheus_site.settings")
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except EmbeddedError as error:  # while the settings load: a folder or a key file that cannot be read
        sys.exit(str(error))


if __name__ == "__main__":
    main()

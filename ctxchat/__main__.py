"""The way in. It imports nothing heavy, so that Ctrl-C is quiet from the first moment on."""

import gc
import os

# Importing makes thousands of objects and no garbage: looking for some costs a tenth of the start.
COLLECT_AFTER = 100_000


def main() -> None:
    gc.set_threshold(COLLECT_AFTER, 20, 20)
    try:
        from ctxchat.cli.process import run

        run()
    except KeyboardInterrupt:
        os._exit(130)


if __name__ == "__main__":
    main()

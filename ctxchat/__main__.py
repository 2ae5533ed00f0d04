"""The way in. It imports nothing heavy, so that Ctrl-C is quiet from the first moment on."""

import os


def main() -> None:
    try:
        from ctxchat.cli.main import run

        run()
    except KeyboardInterrupt:
        os._exit(130)


if __name__ == "__main__":
    main()

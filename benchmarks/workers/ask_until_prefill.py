"""`ctxchat ask` as the command line runs it, up to the moment the first tokens would be evaluated.

Reports the CPU seconds of all threads of the process so far.
"""

import sys
import time

from ctxchat.__main__ import main
from ctxchat.engine.llama.context import LlamaContext
from smol import report


def stop(*_: object, **__: object) -> None:
    report(cpu=time.process_time())


LlamaContext.evaluate = stop  # type: ignore[assignment]
sys.argv = ["ctxchat", "ask", "-n", "-q", "--threads", "1", "--threads-batch", "1", "--max-tokens", "8", "Hi"]
main()

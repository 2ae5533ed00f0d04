"""A text as chunks, by the kind of text its name says it is."""

from pathlib import PurePath

from ctxchat.context.chunks.code import code_ranks, python_ranks
from ctxchat.context.chunks.markup import markdown_ranks
from ctxchat.context.chunks.packing import packed, split_lines
from ctxchat.context.chunks.prose import prose_ranks
from ctxchat.domain.passage import Chunk

_MARKDOWN = frozenset((".md", ".markdown", ".mdx", ".mkd", ".qmd", ".rmd", ".rst"))
_PYTHON = frozenset((".py", ".pyi", ".pyw", ".pyx"))
_CODE = frozenset(
    """
    .bash .bat .c .cc .cfg .clj .cmake .conf .cpp .cs .css .cu .cxx .dart .el .erl .ex .exs .f90 .fs .go
    .gradle .graphql .h .hh .hpp .hs .ini .java .jl .js .json .jsx .kt .kts .less .lisp .lua .m .ml .mm
    .nim .nix .php .pl .pm .proto .ps1 .r .rb .rs .sass .scala .scm .scss .sh .sql .svelte .swift .tcl
    .tf .toml .ts .tsx .v .vb .vhd .vue .xml .yaml .yml .zig .zsh
    """.split()  # noqa: SIM905 - a list of words reads as words
)


def chunks_of(text: str, name: str) -> tuple[Chunk, ...]:
    """The text as chunks that can be recalled one by one: Markdown by headings, source code by
    definitions, anything else by paragraphs, as the end of its `name` says.

    Of at most 1,200 characters, blank lines not counted. Joined they are the text; a text of
    blank lines has none. A line that is too long is cut, and its parts bear its number.
    """
    suffix = PurePath(name).suffix.lower()
    lines = split_lines(text)
    if suffix in _MARKDOWN:
        return packed(lines, markdown_ranks(lines))
    if suffix in _PYTHON:
        return packed(lines, python_ranks(lines))
    return packed(lines, code_ranks(lines) if suffix in _CODE else prose_ranks(lines))

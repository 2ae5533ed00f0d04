"""Texts cut into runs of lines that can be recalled one by one."""

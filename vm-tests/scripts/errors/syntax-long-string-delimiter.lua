-- expect-error: syntax-long-string-delimiter.lua:2: invalid long string delimiter near '[='
x = [=

-- expect-error: syntax-assign-to-call.lua:2: unexpected symbol near '='
f() = 1

-- expect-error: syntax-parameter-missing.lua:2: <name> or '...' expected near ')'
function f(x,) end

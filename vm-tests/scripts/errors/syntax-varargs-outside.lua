-- expect-error: syntax-varargs-outside.lua:2: cannot use '...' outside a vararg function near '...'
local function f() return ... end

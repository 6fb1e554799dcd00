-- expect-error: syntax-ambiguous-call.lua:4: ambiguous syntax (function call x new statement) near '('
local f = print
f
("x")

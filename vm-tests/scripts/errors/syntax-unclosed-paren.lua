-- expect-error: syntax-unclosed-paren.lua:3: ')' expected (to close '(' at line 2) near 'local'
print((1 + 2)
local x = 1

-- expect-error: syntax-unclosed-brace.lua:7: '}' expected (to close '{' at line 3) near 'print'
local first = { 1, 2 }
local scores = {
  1,
  { 2 },
  3
print(first)

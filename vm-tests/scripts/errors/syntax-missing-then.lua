-- expect-error: syntax-missing-then.lua:4: 'then' expected near 'print'
local x = 1
if x == 1
  print(x)
end

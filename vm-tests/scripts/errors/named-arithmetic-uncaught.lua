-- expect-error: named-arithmetic-uncaught.lua:4: attempt to perform arithmetic on local 'total' (a nil value)
local total
for i = 1, 2 do
  total = total + i
end

-- expect-error: named-arithmetic-uncaught.lua:4: attempt to perform arithmetic on a nil value (local 'total')
local total
for i = 1, 2 do
  total = total + i
end

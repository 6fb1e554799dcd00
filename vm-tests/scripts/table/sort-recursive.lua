-- expect: 1 2 3
local t = {3, 1, 2}
table.sort(t, function(a, b)
  local u = {2, 1}
  table.sort(u)
  return a * u[1] < b * u[1]
end)
print(table.concat(t, " "))

-- expect: 1275	50	true
-- expect: 1275	50	true
-- expect: 1275	50	true
-- expect: 1275	50	true
-- reference: no the reference may report an invalid order function; here no element is lost
local comparators = {
  function() return true end,
  function() return false end,
  function() end,
  function(a, b) return (a * 31 + b * 17) % 3 == 0 end,
}
for _, less in ipairs(comparators) do
  local t = {}
  for i = 1, 50 do t[i] = i end
  local ok = pcall(table.sort, t, less)
  local sum, seen = 0, {}
  for i = 1, #t do sum = sum + t[i] seen[t[i]] = true end
  print(sum, #t, ok)
end

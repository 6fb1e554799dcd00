-- expect: true	true
-- reference: no the order is undefined; that nothing breaks is what counts
local t = {}
for i = 1, 50 do t[i] = 51 - i end
print((pcall(table.sort, t, function(a, b) t[#t + 1] = 1 t[1] = nil return a < b end)) ~= nil, #t >= 0)

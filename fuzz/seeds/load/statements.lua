local a, b <const> = 1, 2
for i = 10, 1, -3 do if i % 2 == 0 then goto next end print(i) ::next:: end
for k, v in pairs({ 1, x = 2, [3.5] = "z" }) do a = a + #tostring(v) end
while a < 3 do a = a + 1 break end
repeat local c = a b = c until c ~= nil
local function f(...) local n = select("#", ...) return n, ... end
function t() end
do local o = { m = function(self, x) return self, x end } o:m(1) end
return f(1, nil, 2)

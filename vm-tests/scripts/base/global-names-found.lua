-- expect: true	true
-- expect: function	function	function
-- expect: xx	X
local names = {}
for name in pairs(_G) do names[#names + 1] = name end
print(#names > 20, _G.string.rep == string.rep)
local function get(k) return _G[k] end
print(type(get("pairs")), type(get("ta" .. "ble").concat), type(get("math")["fl" .. "oor"]))
local alias = string
print(alias["re" .. "p"]("x", 2), ("x")["up" .. "per"]("x"))

-- expect: <1>	<a>
local real = tostring
tostring = function(x) return "<" .. real(x) .. ">" end
print(1, "a")

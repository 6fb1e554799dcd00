-- expect: one,two,three
-- expect: b2
-- expect: 4
-- expect: 14
-- expect: a	b	nil
-- expect: a
-- expect: b
-- expect: false	bad argument #2 to 'gmatch' (string expected, got no value)
local t = {}
for w in ("one two  three"):gmatch("%a+") do t[#t + 1] = w end
print(table.concat(t, ","))
for k, v in ("a=1, b=2"):gmatch("(%w+)=(%w+)") do last = k .. v end
print(last)
local n = 0
for _ in ("abc"):gmatch("") do n = n + 1 end
print(n)
for p in ("abc"):gmatch("()") do n = n + p end
print(n)
local f = ("ab"):gmatch(".")
print(f(), f(), (f()))
for a in ("aXbX"):gmatch("(.-)X") do print(a) end
print(pcall(string.gmatch, "x"))

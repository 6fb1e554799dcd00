-- expect: ello	llo	el	hello			hello	ll
-- expect: 104	101	111	104
-- expect: Hi		2
-- expect: 5	3	HELLO	abc	olleh	
-- expect: false	bad argument #1 to 'sub' (string expected, got no value)
-- expect: false	bad argument #2 to 'sub' (number expected, got no value)
-- expect: false	bad argument #1 to 'char' (invalid value)
-- expect: false	bad argument #1 to 'char' (invalid value)
-- expect: false	bad argument #1 to 'char' (number expected, got string)
-- expect: false	bad argument #1 to 'byte' (string expected, got no value)
-- expect: 23
local s = "hello"
print(s:sub(2), s:sub(-3), s:sub(2, 3), s:sub(0), s:sub(10), s:sub(3, 2), s:sub(-100, 100), s:sub(-3, -2))
print(s:byte(), s:byte(2), s:byte(-1), s:byte(1, 3), s:byte(10))
print(string.char(72, 105), string.char(), #string.char(0, 255))
print(s:len(), ("a\0b"):len(), s:upper(), ("ABC"):lower(), s:reverse(), ("").reverse(""))
print(pcall(string.sub))
print(pcall(string.sub, "x"))
print(pcall(string.char, 256))
print(pcall(string.char, -1))
print(pcall(string.char, "x"))
print(pcall(string.byte))
print(string.sub(12345, 2, 3))

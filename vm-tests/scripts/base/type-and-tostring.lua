-- expect: nil	number	string	table	function	boolean	function
-- expect: nil	true	12	s	1.5
-- expect: true	true
-- expect: false	bad argument #1 to 'type' (value expected)
-- expect: false	bad argument #1 to 'tostring' (value expected)
-- expect: Lua 5.1
print(type(nil), type(1), type(""), type({}), type(print), type(true), type(function() end))
print(tostring(nil), tostring(true), tostring(12), tostring("s"), tostring(1.5))
print(tostring({}):match("^table: ") ~= nil, tostring(print):match("^function: ") ~= nil)
print(pcall(type))
print(pcall(tostring))
print(_VERSION)

-- expect: heLLo	heLlo	hello	-h-e-l-l-o-	6
-- expect: aabbcc	def abc	a%c	1
-- expect: heLLo	1ello	Xc	1
-- expect: he2o	hello	hi	2
-- expect: -a-b-c-	-a--c-	 a b 	3
-- expect: xbc	xaa	abx	abcx	1
-- expect: 1a2b3c4	a%b%c	x	1
-- expect: abc	xxc	abc	0
-- expect: Bob is 5	2
-- expect: a5c	1x3	1
-- expect: 200	100
print(("hello"):gsub("l", "L"), ("hello"):gsub("l", "L", 1), ("hello"):gsub("x", "y"), ("hello"):gsub("", "-"))
print(("abc"):gsub("%w", "%0%0"), ("abc def"):gsub("(%w+) (%w+)", "%2 %1"), ("abc"):gsub("b", "%%"))
print(("hello"):gsub("l", { l = "L" }), ("hello"):gsub(".", { h = 1, e = false }), ("abc"):gsub("(a)(b)", { a = "X" }))
print(("hello"):gsub("l+", function(s) return #s end), ("hello"):gsub("l", function() end), ("hi"):gsub(".", function() return false end))
print(("abc"):gsub("x*", "-"), ("abc"):gsub("b*", "-"), ("  a  b "):gsub("%s+", " "))
print(("abc"):gsub("^a", "x"), ("aaa"):gsub("^a", "x"), ("abc"):gsub("c$", "x"), ("abc"):gsub("$", "x"))
print(("abc"):gsub("()", "%1"), ("a.b.c"):gsub("%.", "%%"), ("x"):gsub("x", "%1"))
print(("abc"):gsub("b", "x", 0), ("abc"):gsub(".", "x", 2), ("abc"):gsub(".", "x", -1))
print(("$name is $age"):gsub("%$(%w+)", { name = "Bob", age = 5 }))
print(("abc"):gsub("b", 5), string.gsub(123, "2", "x"))
local s, n = ("x"):rep(100):gsub("x", "yy")
print(#s, n)

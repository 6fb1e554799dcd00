-- expect: 2024	03	01
-- expect: trim|
-- expect: val	nil	b	2	3
-- expect: (a(b)c)	quick	nil
-- expect: hello	nil
-- expect: THE	1
-- expect: 1F	-12.5e3
-- expect: äö	true	a
-- expect: abc	a-z	]	^
-- expect: ab	a	b
-- expect: 1		
-- expect: X	a	b	,	true
print(("2024-03-01"):match("(%d+)-(%d+)-(%d+)"))
print(("  trim  "):match("^%s*(.-)%s*$") .. "|")
print(("key=val"):match("=(.*)"), ("none"):match("%d"), ("abc"):match(".", 2), ("abc"):match("()b()"))
print(("f(a(b)c)d"):match("%b()"), ("THE (quick)"):match("%((.-)%)"), ("x"):match("%b()"))
print(("hello hello"):match("(%w+) %1"), ("hello world"):match("(%w+) %1"))
print(("THE (quick) fox"):match("%f[%a]%a+%f[%A]"), ("a1b2"):match("%f[%d]%d"))
print(("0x1F"):match("^0[xX](%x+)$"), ("-12.5e3"):match("^[+-]?%d+%.?%d*[eE]?%d*$"))
print(("äö"):match("[\128-\255]+"), ("a\0b"):match("%z") == "\0", ("abc"):match("[a-]+"))
print(("abc"):match("[%a-z]+"), ("a-z"):match("[a%-z]+"), ("]"):match("[]]"), ("^"):match("[%^x]"))
print(string.match("abc", "((a)(b))"))
print(("x"):match("()"), ("x"):match("", 2), ("x"):match("", 3))
print(("aXb"):match("%u"), ("aXb"):match("%l+"), ("a b"):match("%S+$"), ("a,b"):match("%p"), ("\t"):match("%c") == "\t")

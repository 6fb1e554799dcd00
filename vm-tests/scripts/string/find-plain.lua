-- expect: 7	3	nil
-- expect: 2	1	2	2
-- expect: 1	6	6	1	0
-- expect: 4	nil	4	1	1
-- expect: 3	2	2
print(("hello world"):find("wor"), ("hello"):find("l"), ("hello"):find("xyz"))
print(("a.b"):find(".", 1, true), ("a.b"):find(".", 1), ("a+b"):find("+", 1, true))
print(("hello"):find(""), ("hello"):find("", 10), ("hello"):find("", 6), (""):find(""))
print(("hello"):find("l", 4), ("hello"):find("l", -1), ("hello"):find("l", -2), ("hello"):find("h", -100))
print(("a\0b"):find("b"), ("a\0b"):find("\0", 1, true))

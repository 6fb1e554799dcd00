-- expect: 1	11	key	value
-- expect: 2	nil	3	4	3
-- expect: 1	1	nil	1	1
-- expect: 6	1	2	1	1
-- expect: 5	11	quick
print(("key = value"):find("(%w+)%s*=%s*(%w+)"))
print(("abc"):find("b()"), ("abc"):find("^b"), ("abc"):find("c$"), ("abc"):find("$"))
print(("hello"):find(".-l"), ("hello"):find(".*l"), ("aaa"):find("a-b"), ("x"):find("x?x?x?"))
print(("[test]"):find("[]]"), ("a-b"):find("[a%-]"), ("a^b"):find("[%^]"), ("x]y"):find("[^]]+"))
print(("THE (quick) fox"):find("%((%a+)%)"))

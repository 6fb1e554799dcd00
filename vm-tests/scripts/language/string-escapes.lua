-- expect: a	b	it's	say "x"	AB7
-- expect: line
-- expect: two
-- expect: 3	7
-- expect: hi
print("a\tb", 'it\'s', "say \"x\"", "\65\066\0067")
print("line\
two")
print(#"\0\00\000", #"\n\r\a\b\f\v\\")
print("\104\105")

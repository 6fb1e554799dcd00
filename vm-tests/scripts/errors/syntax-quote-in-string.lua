-- expect-error: syntax-quote-in-string.lua:2: ')' expected near 's'
print('it's')

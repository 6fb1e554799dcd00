-- expect: false	invalid key to 'next'
print(pcall(next, {1, 2, 3}, 9))

-- expect: nil	nil	nil	nil	nil	nil
-- expect: nil	nil	nil	nil
-- expect: nil	nil	nil	nil	nil	nil	nil
-- expect: nil	nil	nil	nil	nil
-- reference: no the sandbox offers less on purpose
print(io, debug, package, require, module, coroutine)
print(load, loadstring, loadfile, dofile)
print(os.execute, os.exit, os.getenv, os.remove, os.rename, os.tmpname, os.setlocale)
print(string.dump, collectgarbage, getfenv, setfenv, newproxy)

"""Transactions, and what their cancelling undoes."""

from __future__ import annotations

from tests.standard.cases import case

DEAL = """
start s
transaction deal
  start i
  task a
  boundary ca on=a compensate
  task undo_a undoes
  ca ~> undo_a
"""
"""How most of these begin."""
TRANSACTION = (
    DEAL
    + """\
  task b
  boundary cb on=b compensate
  task undo_b undoes
  cb ~> undo_b
  xor ok
  end o
  end fail cancel
  i -> a -> b -> ok
  ok -> o : good
  ok -> fail : else
boundary off on=deal cancel
task after
end e
end eo
s -> deal -> e
off -> after -> eo
"""
)

CASES = [
    case("transaction", "10.3.5", "without cancellation it is a sub-process", TRANSACTION,
         "s deal i a b ok o e", given={"good": True}),
    case("cancel end event; cancel boundary event; transaction", "10.3.5",
         "cancelled, what was done is undone, then it is left by its cancel event", TRANSACTION,
         "s deal i a b ok fail undo_b undo_a off after eo", given={"good": False}),
    case("cancel end event", "13.5.6", "the other branches of the transaction end", """
start s
transaction deal
  start i
  and split
  receive never message=never
  catch w timer=PT1M
  end fail cancel
  end o
  i -> split -> never -> o
  split -> w -> fail
boundary off on=deal cancel
end e
end eo
s -> deal -> e
off -> eo
""", "s deal i split (never | w) fail off eo"),
    case("transaction", "10.3.5", "an error leaves it without undoing anything", DEAL + """\
  end fail error=E
  i -> a -> fail
boundary off on=deal error=E
end e
end eo
s -> deal -> e
off -> eo
""", "s deal i a fail off eo"),
    case("transaction", "13.5.5", "one that has succeeded can be undone later", DEAL + """\
  end o
  i -> a -> o
throw back compensate
end e
s -> deal -> back -> e
""", "s deal i a o back undo_a e"),
    case("cancel end event", "13.5.5", "sub-processes of the transaction are undone too", """
start s
transaction deal
  start i
  sub inner
    start j
    task a
    boundary ca on=a compensate
    task undo_a undoes
    ca ~> undo_a
    end p
    j -> a -> p
  end fail cancel
  i -> inner -> fail
boundary off on=deal cancel
end e
end eo
s -> deal -> e
off -> eo
""", "s deal i inner j a p fail undo_a off eo"),
    case("call activity; transaction; cancel end event", "10.7",
         "cancelled, a call is undone by the handler of the call activity", """
start s
transaction q
  start i
  call c calls=other
  boundary cc on=c compensate
  task uc undoes
  cc ~> uc
  end o cancel
  i -> c -> o
boundary bc on=q cancel
end e
end e2
s -> q -> e
bc -> e2
process other
start j
task a
boundary ca on=a compensate
task ua undoes
ca ~> ua
end p
j -> a -> p
""", "s q i c j a p o uc bc e2"),
]  # fmt: skip

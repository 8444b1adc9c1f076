def segments(turn):
    out, before = {}, 0.0
    from lkcook.report.turns import STAGES
    for n, (t, _) in STAGES.items():
        v = getattr(turn, n)
        if v is not None:
            out[t] = max(0.0, v - before); before = max(before, v)
    return out

"""Learn from the examples of the shipped rules and keep the result in models/meaning/. `make meaning`.

Whoever uses the shipped rules as they are need not learn, and scores the same on every machine.
"""

from pipeline.detect import training
from pipeline.resources import shipped_models, shipped_rules
from pipeline.settings import Settings
from pipeline.workflows.meaning import SHIPPED, Understanding, key_of, vectors_name, write
from pipeline.workflows.rules import load_rules


def main() -> None:
    settings = Settings(rules=str(shipped_rules()))
    understanding, ruleset = Understanding(settings), load_rules(settings)
    known = understanding.known_vectors()
    taught = training.train(ruleset, understanding.encoder.name, known.encode)
    if taught is None:
        raise SystemExit("no shipped rule learns from examples")
    folder = shipped_models() / SHIPPED
    made = {
        f"{key_of(ruleset, settings)}.json.gz": taught.packed(),
        vectors_name(understanding.name): known.packed(training.texts_of(ruleset)),
    }
    for path in folder.glob("*"):
        if path.name not in made:
            path.unlink()
    for name, body in made.items():
        write(folder / name, body)
        print(f"{name}: {len(body)} bytes")


if __name__ == "__main__":
    main()

"""The steps of phase 1 in their order."""

from datasets_app.phase1 import building, describing, making
from datasets_app.phase1.step import Step

MANIFEST = "dataset/manifest.json"
_IN_ORDER = (
    Step(
        "edge_cases",
        "dialogues",
        lambda context: (),
        making.edge_case_facts,
        making.make_edge_cases,
    ),
    Step("nightmare_seeds", "seeds", lambda context: (), making.seed_facts, making.make_seeds),
    Step(
        "nightmares",
        "dialogues",
        lambda context: (making.SEEDS,),
        making.dialogue_facts,
        making.make_dialogues,
    ),
    Step(
        "long_sessions",
        "records",
        lambda context: tuple(making.source_names(context)),
        making.long_session_facts,
        making.extract,
    ),
    Step(
        "compile",
        "records",
        building.compile_inputs,
        building.compile_facts,
        building.compile_all,
    ),
    Step(
        "verify",
        "shards",
        lambda context: (MANIFEST,),
        building.verify_facts,
        building.verify_all,
    ),
    Step(
        "publish",
        "objects",
        lambda context: (MANIFEST,),
        building.publish_facts,
        building.publish_all,
        building.stands_published,
    ),
    Step(
        "describe",
        "shards",
        lambda context: (MANIFEST,),
        describing.describe_facts,
        describing.describe,
    ),
)
STEPS_BY_NAME = {step.name: step for step in _IN_ORDER}

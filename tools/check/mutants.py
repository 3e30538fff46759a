"""A few of tools/mutants, so that the list stays alive; `./dev mutants` runs them all."""
import importlib.util
import pathlib

ABOUT = "a few broken invariants each make a named test fail (tools/mutants, those marked `few`)"

PROGRAM = pathlib.Path(__file__).resolve().parent.parent / "mutants" / "run.py"


def load_program():
    spec = importlib.util.spec_from_file_location("mutants_run", PROGRAM)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    return program


def run(_tree):
    program = load_program()
    try:
        few = [mutant for mutant in program.load() if mutant.get("few")]
        return [f"mutant {name}: {problem}" for name, problem in program.run(few)]
    except program.ListError as error:
        return [str(error)]

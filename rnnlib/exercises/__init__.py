"""Exercises that answer back: one module of checks for each chapter.

Every check takes the reader's function and returns a `Verdict`: true and a confirmation, or
false and what is wrong. `hint` shows where to look, then the idea, then one line; `progress` shows
what is solved.
"""

from rnnlib.exercises.beyond import (
    check_all_at_once,
    check_join,
    check_linear_backward,
    check_parity_pair,
)
from rnnlib.exercises.bidirectional import (
    check_count_two_way,
    check_gap_matrix,
    check_gap_outputs,
    check_two_readers,
    check_two_way_summary,
)
from rnnlib.exercises.bptt import (
    check_relu_backward,
    check_step_backward,
    check_truncated,
    check_weight_gradient,
)
from rnnlib.exercises.classic_results import (
    check_copying_floor,
    check_leading_symbols,
    check_tuned,
    check_wrong_sequences,
)
from rnnlib.exercises.clinic import Patient, check_leak, check_patient, check_reach
from rnnlib.exercises.clipping import (
    check_angle,
    check_clip_norm,
    check_clip_value,
    check_threshold,
)
from rnnlib.exercises.ctc import (
    check_alpha_step,
    check_collapse,
    check_ctc_gradient,
    check_least_steps,
)
from rnnlib.exercises.digits import (
    check_confusion_matrix,
    check_images_to_sequences,
    check_most_misread,
    check_reported_accuracy,
)
from rnnlib.exercises.equations import (
    check_count_parameters,
    check_many_to_one,
    check_rnn_sequence,
    check_rnn_step,
)
from rnnlib.exercises.first_training import (
    check_carry,
    check_encode,
    check_memoryless_floor,
    check_train_step,
)
from rnnlib.exercises.forecasting import (
    check_forecast_windows,
    check_quantile_loss,
    check_seasonal,
)
from rnnlib.exercises.gru import (
    check_convert,
    check_gate_values,
    check_gru_step,
    check_same_budget,
)
from rnnlib.exercises.hints import Hint, hint
from rnnlib.exercises.lstm import (
    check_cell_path,
    check_forget_bias,
    check_lstm_parameters,
    check_lstm_step,
)
from rnnlib.exercises.progress import Progress, report
from rnnlib.exercises.rnn_cell import (
    check_cell,
    check_initial_std,
    check_stack,
    check_summary,
)
from rnnlib.exercises.sequence_to_sequence import (
    check_attention,
    check_beam_step,
    check_own_symbols,
    check_previous,
)
from rnnlib.exercises.text_generation import (
    check_best_order,
    check_bits,
    check_probabilities,
    check_windows,
)
from rnnlib.exercises.unfolded_view import (
    check_last_states,
    check_shared_gradient,
    check_unfolded,
    check_untied_count,
)
from rnnlib.exercises.vanishing import (
    check_gradient_bound,
    check_spectral_radius,
    check_step_jacobian,
    check_steps_until,
)
from rnnlib.exercises.variable_lengths import (
    check_batch_sizes,
    check_masked_loss,
    check_reversed,
    check_unsorted,
)
from rnnlib.exercises.verdict import Verdict

__all__ = [
    "Hint",
    "Patient",
    "Progress",
    "Verdict",
    "check_all_at_once",
    "check_alpha_step",
    "check_angle",
    "check_attention",
    "check_batch_sizes",
    "check_beam_step",
    "check_best_order",
    "check_bits",
    "check_carry",
    "check_cell",
    "check_cell_path",
    "check_clip_norm",
    "check_clip_value",
    "check_collapse",
    "check_confusion_matrix",
    "check_convert",
    "check_copying_floor",
    "check_count_parameters",
    "check_count_two_way",
    "check_ctc_gradient",
    "check_encode",
    "check_forecast_windows",
    "check_forget_bias",
    "check_gap_matrix",
    "check_gap_outputs",
    "check_gate_values",
    "check_gradient_bound",
    "check_gru_step",
    "check_images_to_sequences",
    "check_initial_std",
    "check_join",
    "check_last_states",
    "check_leading_symbols",
    "check_leak",
    "check_least_steps",
    "check_linear_backward",
    "check_lstm_parameters",
    "check_lstm_step",
    "check_many_to_one",
    "check_masked_loss",
    "check_memoryless_floor",
    "check_most_misread",
    "check_own_symbols",
    "check_parity_pair",
    "check_patient",
    "check_previous",
    "check_probabilities",
    "check_quantile_loss",
    "check_reach",
    "check_relu_backward",
    "check_reported_accuracy",
    "check_reversed",
    "check_rnn_sequence",
    "check_rnn_step",
    "check_same_budget",
    "check_seasonal",
    "check_shared_gradient",
    "check_spectral_radius",
    "check_stack",
    "check_step_backward",
    "check_step_jacobian",
    "check_steps_until",
    "check_summary",
    "check_threshold",
    "check_train_step",
    "check_truncated",
    "check_tuned",
    "check_two_readers",
    "check_two_way_summary",
    "check_unfolded",
    "check_unsorted",
    "check_untied_count",
    "check_weight_gradient",
    "check_windows",
    "check_wrong_sequences",
    "hint",
    "progress",
]

# The checks of each chapter, in the order of its exercises.
CHAPTERS = {
    "1 equations": (
        check_rnn_step,
        check_rnn_sequence,
        check_many_to_one,
        check_count_parameters,
    ),
    "2 unfolded_view": (
        check_unfolded,
        check_untied_count,
        check_shared_gradient,
        check_last_states,
    ),
    "3 rnn_cell": (check_cell, check_initial_std, check_summary, check_stack),
    "4 first_training": (check_encode, check_memoryless_floor, check_train_step, check_carry),
    "5 bidirectional": (
        check_two_readers,
        check_gap_matrix,
        check_gap_outputs,
        check_two_way_summary,
        check_count_two_way,
    ),
    "6 digits": (
        check_images_to_sequences,
        check_confusion_matrix,
        check_most_misread,
        check_reported_accuracy,
    ),
    "7 bptt": (
        check_step_backward,
        check_weight_gradient,
        check_relu_backward,
        check_truncated,
    ),
    "8 vanishing_exploding": (
        check_step_jacobian,
        check_steps_until,
        check_spectral_radius,
        check_gradient_bound,
    ),
    "9 clipping": (check_clip_norm, check_clip_value, check_angle, check_threshold),
    "10 lstm": (check_lstm_step, check_cell_path, check_forget_bias, check_lstm_parameters),
    "11 gru": (check_gru_step, check_same_budget, check_convert, check_gate_values),
    "12 text_generation": (check_bits, check_probabilities, check_windows, check_best_order),
    "13 variable_lengths": (
        check_batch_sizes,
        check_unsorted,
        check_masked_loss,
        check_reversed,
    ),
    "14 sequence_to_sequence": (
        check_previous,
        check_attention,
        check_beam_step,
        check_own_symbols,
    ),
    "15 forecasting": (check_seasonal, check_forecast_windows, check_quantile_loss),
    "16 ctc": (
        check_collapse,
        check_least_steps,
        check_alpha_step,
        check_ctc_gradient,
    ),
    "17 clinic": (check_leak, check_reach, check_patient),
    "18 classic_results": (
        check_wrong_sequences,
        check_leading_symbols,
        check_copying_floor,
        check_tuned,
    ),
    "19 beyond": (
        check_join,
        check_all_at_once,
        check_linear_backward,
        check_parity_pair,
    ),
}


def progress() -> Progress:
    """Show which exercises are solved, chapter by chapter.

    An exercise is solved when its check, run on your function, has shown a ✓. This is kept in one
    small file: ``rnnlib/exercises.json`` in the user's data folder, or the file that the
    environment variable ``RNNLIB_PROGRESS`` names. Where that is empty, nothing is kept.
    """
    return report(
        {title: [check.__name__ for check in checks] for title, checks in CHAPTERS.items()}
    )

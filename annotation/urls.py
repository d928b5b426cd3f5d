"""Addresses of the annotation app."""

from django.urls import path

from annotation.agreement_page import views as agreement
from annotation.agreements import views as agreements
from annotation.campaigns import plan_views as plans
from annotation.campaigns import views as campaigns
from annotation.checkpoints import views as checkpoints
from annotation.dangerous import views as dangerous
from annotation.dashboard import views as dashboard
from annotation.forecast import views as forecasts
from annotation.guidelines import views as guidelines
from annotation.labelling import views as labelling
from annotation.learning import views as learning
from annotation.obstacles import views as obstacles
from annotation.pay import views as pay
from annotation.qualification import calibration_views as calibration
from annotation.qualification import views as qualification
from annotation.recruitment import lead_views as recruiting
from annotation.recruitment import public_views as applying
from annotation.rights import views as rights
from annotation.screening import views as screening
from annotation.selection import views as selection
from annotation.wellbeing import views as wellbeing

app_name = "annotation"
APPLICANT = "campaigns/<slug:slug>/recruiting/<uuid:application_id>"

urlpatterns = [
    path("care/", wellbeing.care, name="care"),
    path("care/limits/", wellbeing.set_limits, name="set_care_limits"),
    path("care/topics/", wellbeing.opt_out, name="opt_out"),
    path("care/topics/<uuid:opt_out_id>/", wellbeing.opt_in, name="opt_in"),
    path("care/check-in/", wellbeing.check_in, name="check_in"),
    path("support/contacts/", wellbeing.support_contacts, name="support_contacts"),
    path("own-data/", rights.own_data, name="own_data"),
    path("own-data/own-data.json", rights.download_own_data, name="download_own_data"),
    path("campaigns/", campaigns.campaign_list, name="campaigns"),
    path("campaigns/new/", campaigns.create, name="create_campaign"),
    path(
        "campaigns/new/scheme.yaml",
        campaigns.example,
        {"file_name": "scheme.yaml"},
        name="example_scheme",
    ),
    path(
        "campaigns/new/guideline.md",
        campaigns.example,
        {"file_name": "guideline.md"},
        name="example_guideline",
    ),
    path("campaigns/<slug:slug>/", campaigns.manage, name="campaign"),
    path("campaigns/<slug:slug>/state/", campaigns.change_state, name="change_campaign_state"),
    path("campaigns/<slug:slug>/members/", campaigns.change_members, name="change_members"),
    path("campaigns/<slug:slug>/plan/", plans.plan, name="plan"),
    path("campaigns/<slug:slug>/plan/accept/", plans.accept_plan, name="accept_plan"),
    path("campaigns/<slug:slug>/plan/hours/", plans.set_hours, name="set_hours"),
    path("campaigns/<slug:slug>/plan/pause/", plans.pause_member, name="pause_member"),
    path("campaigns/<slug:slug>/plan/resume/", plans.resume_member, name="resume_member"),
    path("campaigns/<slug:slug>/dashboard/", dashboard.overview, name="dashboard"),
    path("campaigns/<slug:slug>/agreement/", agreement.agreement, name="agreement"),
    path("campaigns/<slug:slug>/agreement/names/", agreement.reveal_names, name="reveal_names"),
    path("campaigns/<slug:slug>/agreement/codes/", agreement.hide_names, name="hide_names"),
    path("campaigns/<slug:slug>/agreement/obstacles/", obstacles.obstacles, name="obstacles"),
    path("campaigns/<slug:slug>/agreement/obstacles/samples/", obstacles.samples, name="obstacle_samples"),
    path("campaigns/<slug:slug>/checkpoints/", checkpoints.checkpoints, name="checkpoints"),
    path("campaigns/<slug:slug>/checkpoints/declare/", checkpoints.declare, name="declare_looks"),
    path("campaigns/<slug:slug>/checkpoints/end/", checkpoints.ask_for_end, name="ask_for_end"),
    path("campaigns/<slug:slug>/checkpoints/<int:number>/", checkpoints.report, name="checkpoint_report"),
    path(
        "campaigns/<slug:slug>/checkpoints/<int:number>/report.json",
        checkpoints.download_report,
        name="download_checkpoint_report",
    ),
    path("campaigns/<slug:slug>/figures/<slug:figure>/", dashboard.figure, name="figure"),
    path("campaigns/<slug:slug>/samples/<int:number>/", dashboard.sample, name="sample"),
    path("campaigns/<slug:slug>/samples/<int:number>/open/", dashboard.open_sample, name="open_sample"),
    path("campaigns/<slug:slug>/dangerous/", dangerous.cases, name="danger_cases"),
    path("campaigns/<slug:slug>/dangerous/matrix/", dangerous.matrix, name="danger_matrix"),
    path("campaigns/<slug:slug>/dangerous/<uuid:case_id>/", dangerous.case, name="danger_case"),
    path(
        "campaigns/<slug:slug>/dangerous/<uuid:case_id>/open/", dangerous.open_text, name="open_danger_text"
    ),
    path("campaigns/<slug:slug>/hours/", pay.hours, name="hours"),
    path("campaigns/<slug:slug>/hours/<int:year>/<int:month>/", pay.statement, name="statement"),
    path(
        "campaigns/<slug:slug>/hours/<int:year>/<int:month>/statement.csv",
        pay.statement_csv,
        name="statement_csv",
    ),
    path("campaigns/<slug:slug>/pay/", pay.payroll, name="payroll"),
    path("campaigns/<slug:slug>/pay/terms/", pay.set_terms, name="set_terms"),
    path("campaigns/<slug:slug>/pay/rates/", pay.set_rate, name="set_rate"),
    path("campaigns/<slug:slug>/pay/corrections/", pay.correct_pay, name="correct_pay"),
    path("campaigns/<slug:slug>/pay/close/", pay.close_month, name="close_month"),
    path("campaigns/<slug:slug>/pay/<int:year>/<int:month>/payroll.csv", pay.payroll_csv, name="payroll_csv"),
    path("campaigns/<slug:slug>/forecast/", forecasts.show_forecast, name="forecast"),
    path("campaigns/<slug:slug>/selection/", selection.show_selection, name="selection"),
    path("campaigns/<slug:slug>/selection/start/", selection.start_selection, name="start_selection"),
    path(
        "campaigns/<slug:slug>/selection/<uuid:run_id>/cancel/",
        selection.cancel_selection,
        name="cancel_selection",
    ),
    path(
        "campaigns/<slug:slug>/selection/<uuid:run_id>/resume/",
        selection.resume_selection,
        name="resume_selection",
    ),
    path("campaigns/<slug:slug>/guideline/", guidelines.current, name="guideline"),
    path("campaigns/<slug:slug>/guideline/new/", guidelines.change, name="change_guideline"),
    path("campaigns/<slug:slug>/label/", labelling.workbench, name="workbench"),
    path("campaigns/<slug:slug>/label/next/", labelling.fetch_next, name="fetch_next"),
    path("campaigns/<slug:slug>/label/undo/", labelling.undo, name="undo"),
    path("campaigns/<slug:slug>/label/leave/", labelling.leave, name="leave"),
    path("campaigns/<slug:slug>/label/<uuid:assignment_id>/", labelling.save, name="save_label"),
    path("campaigns/<slug:slug>/label/<uuid:assignment_id>/open/", labelling.open_severe, name="open_severe"),
    path("campaigns/<slug:slug>/label/<uuid:assignment_id>/flag/", labelling.flag, name="flag_sample"),
    path("campaigns/<slug:slug>/qualification/", qualification.own, name="own_qualification"),
    path("campaigns/<slug:slug>/qualifications/", qualification.people, name="qualifications"),
    path("campaigns/<slug:slug>/qualifications/<str:code>/", qualification.person, name="qualification"),
    path(
        "campaigns/<slug:slug>/qualifications/<str:code>/licence/",
        qualification.check_licence,
        name="check_licence",
    ),
    path("campaigns/<slug:slug>/qualifications/<str:code>/decide/", qualification.decide, name="decide"),
    path("campaigns/<slug:slug>/calibration/", calibration.samples, name="calibration"),
    path("campaigns/<slug:slug>/calibration/threshold/", calibration.set_threshold, name="set_threshold"),
    path("campaigns/<slug:slug>/calibration/<int:number>/", calibration.sample, name="settle_sample"),
    path(
        "campaigns/<slug:slug>/calibration/<int:number>/open/",
        calibration.open_text,
        name="open_calibration_text",
    ),
    path(
        "campaigns/<slug:slug>/calibration/review/<str:code>/", calibration.review, name="review_calibration"
    ),
    path("documents/", agreements.documents, name="documents"),
    path("documents/<slug:kind>/", agreements.document, name="document"),
    path("documents/<slug:kind>/sign/", agreements.sign, name="sign_document"),
    path("documents/<slug:kind>/new/", agreements.publish, name="publish_document"),
    path("learn/", learning.training, name="training"),
    path("learn/mock/<int:number>/", learning.mock_sample, name="mock_sample"),
    path("learn/<slug:key>/", learning.module, name="training_module"),
    path("campaigns/<slug:slug>/labels/", labelling.own_labels, name="own_labels"),
    path("campaigns/<slug:slug>/labels/<uuid:label_id>/", labelling.correct, name="correct_label"),
    path("join/<slug:slug>/", applying.campaign_page, name="join"),
    path("join/<slug:slug>/apply/", applying.apply, name="apply"),
    path("application/<str:token>/", applying.application, name="application"),
    path("application/<str:token>/open/", applying.open_application, name="open_application"),
    path("application/<str:token>/confirm/", applying.confirm_address, name="confirm_address"),
    path("application/<str:token>/withdraw/", applying.withdraw, name="withdraw_application"),
    path("application/<str:token>/guideline/", applying.guideline, name="applicant_guideline"),
    path("application/<str:token>/quiz/", screening.quiz, name="quiz"),
    path("application/<str:token>/quiz/start/", screening.start_quiz, name="start_quiz"),
    path("application/<str:token>/quiz/finish/", screening.finish_quiz, name="finish_quiz"),
    path("application/<str:token>/quiz/<int:number>/", screening.quiz_question, name="quiz_question"),
    path("campaigns/<slug:slug>/recruiting/", recruiting.board, name="recruiting"),
    path("campaigns/<slug:slug>/recruiting/facts/", recruiting.facts, name="recruiting_facts"),
    path("campaigns/<slug:slug>/recruiting/state/", recruiting.change_recruiting, name="change_recruiting"),
    path("campaigns/<slug:slug>/recruiting/questions/", recruiting.question_bank, name="question_bank"),
    path(f"{APPLICANT}/", recruiting.applicant, name="applicant"),
    path(f"{APPLICANT}/move/", recruiting.move_applicant, name="move_applicant"),
    path(f"{APPLICANT}/take-in/", recruiting.take_in_applicant, name="take_in_applicant"),
    path(f"{APPLICANT}/cv/", recruiting.download_cv, name="download_cv"),
    path(f"{APPLICANT}/links/revoke/", recruiting.revoke_links, name="revoke_application_links"),
    path(f"{APPLICANT}/erase/", recruiting.erase_applicant, name="erase_applicant"),
    path(f"{APPLICANT}/mail/<uuid:mail_id>/", recruiting.hand_over_mail, name="hand_over_mail"),
]

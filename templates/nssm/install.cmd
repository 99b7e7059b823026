@rem {{ signature }}
@echo off
setlocal DisableDelayedExpansion
set "sys=%SystemRoot%\System32"
rem Only who has all rights may read this key, which every Windows has; without them nothing is made.
%sys%\reg.exe query HKU\S-1-5-19 >nul 2>nul
if not errorlevel 1 goto elevated
echo Administrator rights are missing: run this batch in a command prompt that was started with "Run as administrator".
exit /b 5
:elevated
set "page="
for /f "tokens=2 delims=:." %%p in ('%sys%\chcp.com') do set "page=%%p"
%sys%\chcp.com 65001 >nul 2>nul
set "words="
set "result=2"
rem A service of that name has to be one of ours: one of the nssm.exe that is put there below.
set "there="
%sys%\reg.exe query {{ key }} >nul 2>nul
if errorlevel 1 goto free
set "there=yes"
set "image="
%sys%\reg.exe query {{ key_of_parameters }} /v Application >nul 2>nul
if errorlevel 1 goto foreign
for /f "skip=2 tokens=2,*" %%a in ('%sys%\reg.exe query {{ key }} /v ImagePath') do set "image=%%b"
if not defined image goto foreign
set "image=%image:"=%"
if /i "%image%"=={{ nssm }} goto free
:foreign
echo There is a service {{ name }} already, and InstallService did not make it: nothing was changed.
goto end
:free
{%- if let Some(exported) = run_service %}
rem The RunService.exe that was exported with this batch does what cmd.exe cannot.
set "helps="
if not exist {{ exported.beside }} goto alone
set file={{ exported.beside }}
call :sum
if /i "%sum%"=="{{ exported.sha256 }}" set "helps=yes"
if defined helps goto alone
echo RunService.exe beside this batch is not the one that was exported with it: its SHA-256 is %sum%.
:alone
{%- endif %}
rem Whoever else can change the folder could have anything run with all rights.
if not exist {{ folder }} goto make
if /i "%~1"=="trusted" goto folder
{%- if let Some(exported) = run_service %}
if not defined helps goto unknown
{{ exported.beside }} --guard {{ folder }}
if not errorlevel 1 goto folder
goto end
{%- endif %}
:unknown
echo {{ folder }} is there already. Whose it is can tell the RunService.exe that is exported with a batch, and there is none.
echo Look yourself, and give it to administrators alone:
echo   dir /q /a {{ folder }}
echo   icacls {{ folder }}
echo   takeown /a /f {{ folder }}
echo   icacls {{ folder }} /inheritance:r /grant:r "*S-1-5-18:(OI)(CI)F" "*S-1-5-32-544:(OI)(CI)F" "*S-1-5-32-545:(OI)(CI)RX"
echo Then run this batch again, with the word trusted behind its name.
goto end
:make
mkdir {{ folder }}
if not exist {{ folder }} goto failed
rem SYSTEM and Administrators do everything there, Users read, whatever they are called in this language.
%sys%\icacls.exe {{ folder }} /inheritance:r /grant:r *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F *S-1-5-32-545:(OI)(CI)RX >nul
if %errorlevel% neq 0 goto failed
set "strange="
for /f "delims=" %%i in ('dir /b /a {{ folder }}') do set "strange=yes"
if not defined strange goto folder
echo Somebody has put something into {{ folder }} before it was closed: remove that, and run this batch again.
goto end
:folder
set "copied="
if exist {{ nssm }} goto nssm
if exist {{ nssm_beside }} goto copy
echo nssm.exe is missing: put it beside this batch, or at {{ nssm }}
set "result=1"
goto end
:copy
copy /b /y {{ nssm_beside }} {{ nssm }} >nul
if %errorlevel% neq 0 goto failed
set "copied=yes"
:nssm
set file={{ nssm }}
call :sum
{%- for sha256 in nssm_sha256 %}
if /i "%sum%"=="{{ sha256 }}" goto found
{%- endfor %}
if defined copied del /f /q {{ nssm }}
echo nssm.exe is none that this batch may use: its SHA-256 is %sum%.
goto end
:found
{%- if let Some(runner) = runner %}
{%- if runner.is_needed %}
rem Nothing but RunService can run the program of this service.
{%- else %}
rem RunService leaves an error log behind when the program fails; a host may do without it.
{%- endif %}
set "runner="
set file={{ runner.exe }}
if not exist {{ runner.exe }} goto bring_runner
call :sum
if /i "%sum%"=="{{ runner.exported.sha256 }}" goto has_runner
:bring_runner
if not defined helps goto runner
rem One that runs stays as it is.
copy /b /y {{ runner.exported.beside }} {{ runner.exe }} >nul 2>nul
call :sum
if /i not "%sum%"=="{{ runner.exported.sha256 }}" goto runner
set "copied=yes"
:has_runner
set "runner=yes"
:runner
{%- if runner.is_needed %}
if defined runner goto needed
echo The service needs the RunService.exe that was exported with this batch: put it beside the batch.
goto end
:needed
{%- else %}
if not defined runner echo Without the RunService.exe that was exported with this batch, the service leaves no error log behind.
{%- endif %}
{%- endif %}
{%- if let Some(values) = values %}
if exist {{ values.file }} goto values
type nul >{{ values.file }}
if not exist {{ values.file }} goto failed
%sys%\icacls.exe {{ values.file }} /inheritance:r /grant:r *S-1-5-18:F *S-1-5-32-544:F >nul
if %errorlevel% neq 0 goto failed
echo Fill in {{ values.file }} as in {{ values.example }} before you start the service.
:values
{%- endif %}
rem What NSSM says may have two bytes for each character: it is shown where a call fails.
set words={{ words }}
set "made="
{%- if let Some(account) = account %}
set "refused="
{%- endif %}
if defined there goto update
{{ install }}
if %errorlevel% neq 0 goto failed
set "made=yes"
{%- for line in initial %}
{{ line }}
if %errorlevel% neq 0 goto failed
{%- endfor %}
{%- if let Some(account) = account %}
rem NSSM makes a service of LocalSystem: without its own account it is never to start.
{{ account.disable }}
if %errorlevel% neq 0 goto failed
goto account
{%- else %}
goto settings
{%- endif %}
:update
call :registered
set "before=%sum%"
{%- if let Some(account) = account %}
rem The account comes first: what is new does not run as the one before. A service that has it already keeps it as it is.
:account
{%- if account.has_password %}
set "needs="
{%- endif %}
set "account="
for /f "skip=2 tokens=2,*" %%a in ('%sys%\reg.exe query {{ key }} /v ObjectName') do set "account=%%b"
if /i "%account%"=={{ account.name }} goto has_account
{%- for line in account.before %}
{{ line }}
if %errorlevel% neq 0 goto failed
{%- endfor %}
set "refused=yes"
{%- if account.has_password %}
rem No file holds its password.
{%- endif %}
{{ account.set }}
if %errorlevel% neq 0 goto failed
set "refused="
{%- if account.has_password %}
set "needs=yes"
{%- endif %}
:has_account
if not defined there goto settings
{%- endif %}
rem What an earlier install or somebody else has set, and this one does not.
{%- for one in forgotten %}
{{ one.delete }}
{{ one.query }}
if not errorlevel 1 goto failed
{%- endfor %}
{%- for line in reset %}
{{ line }}
if %errorlevel% neq 0 goto failed
{%- endfor %}
:settings
{%- for (from, to) in copies %}
set "sum="
set file={{ to }}
if exist {{ to }} call :sum
set "earlier=%sum%"
copy /b /y {{ from }} {{ to }} >%words% 2>&1
if %errorlevel% neq 0 goto failed
call :sum
if not "%sum%"=="%earlier%" set "copied=yes"
{%- endfor %}
{%- if let Some(runner) = runner %}
{%- if !runner.is_needed %}
if defined runner goto through
{%- for line in runner.direct %}
{{ line }}
if %errorlevel% neq 0 goto failed
{%- endfor %}
goto rest
:through
{%- for line in runner.through %}
{{ line }}
if %errorlevel% neq 0 goto failed
{%- endfor %}
:rest
{%- endif %}
{%- endif %}
{%- for line in set %}
{{ line }}
if %errorlevel% neq 0 goto failed
{%- endfor %}
{%- if let Some(values) = values %}
{%- if let Some(reader) = values.reader %}
{{ reader }}
if %errorlevel% neq 0 goto failed
{%- endif %}
{%- endif %}
set "result=0"
{%- if let Some(account) = account %}
{%- if account.has_password %}
if defined needs echo Before it can start, type the password of {{ account.name }} in services.msc, on the page "Log On" of {{ name }}.
{%- endif %}
{%- endif %}
if defined there goto updated
echo installed: {{ name }}
echo This starts it: net start {{ name }}
goto end
:updated
rem Everything was set again, for NSSM does not say what it changes: the registry does.
call :registered
if defined copied set "sum=unknown"
if "%sum%"=="unknown" goto changed
if not "%sum%"=="%before%" goto changed
echo unchanged: {{ name }}
goto end
:changed
echo updated: {{ name }}
echo If it runs, it takes up what is new once it is stopped and started: net stop {{ name }}, net start {{ name }}
goto end
:failed
set "result=%errorlevel%"
if "%result%"=="0" set "result=1"
if not defined words goto end
{%- if let Some(exported) = run_service %}
if not defined helps goto type
{{ exported.beside }} --print %words%
goto told
:type
{%- endif %}
type %words%
{%- if run_service.is_some() %}
:told
{%- endif %}
{%- if let Some(account) = account %}
if defined refused echo The account {{ account.name }} could not be set.
{%- endif %}
if defined made goto withdraw
if not defined there goto end
{%- if let Some(account) = account %}
if defined refused echo {{ name }} has the account and the settings that it had.
if defined refused goto end
{%- endif %}
echo {{ name }} may have only some of its settings: run this batch again once that is mended.
goto end
:withdraw
rem It is not to start with half of its settings.
%sys%\sc.exe delete {{ name }} >nul 2>nul
if errorlevel 1 goto stays
echo not installed: {{ name }} was removed again.
goto end
:stays
echo {{ name }} could not be removed again: remove-{{ name }}.cmd does that.
{%- if account.is_some() %}
if defined refused echo Until then it is disabled.
{%- endif %}
:end
if defined words if exist %words% del /f /q %words%
if defined page %sys%\chcp.com %page% >nul 2>nul
exit /b %result%

:registered
rem The checksum of all that the registry has for the service.
%sys%\reg.exe query {{ key }} /s >%words%
set file=%words%
:sum
rem What certutil says in its second line; older versions put blanks between the digits. Without it nothing is known.
set "sum="
for /f "skip=1 delims=" %%h in ('%sys%\certutil.exe -hashfile %file% SHA256') do if not defined sum set "sum=%%h"
if not defined sum set "sum=unknown"
set "sum=%sum: =%"
exit /b 0

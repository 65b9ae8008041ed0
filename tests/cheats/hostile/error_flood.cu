// G9: makes more errors than anybody reads.
#include "kernel.cuh"

int error0 = missing0;
int error1 = missing1;
int error2 = missing2;
int error3 = missing3;
int error4 = missing4;
int error5 = missing5;
int error6 = missing6;
int error7 = missing7;
int error8 = missing8;
int error9 = missing9;
int error10 = missing10;
int error11 = missing11;
int error12 = missing12;
int error13 = missing13;
int error14 = missing14;
int error15 = missing15;
int error16 = missing16;
int error17 = missing17;
int error18 = missing18;
int error19 = missing19;
int error20 = missing20;
int error21 = missing21;
int error22 = missing22;
int error23 = missing23;
int error24 = missing24;
int error25 = missing25;
int error26 = missing26;
int error27 = missing27;
int error28 = missing28;
int error29 = missing29;
int error30 = missing30;
int error31 = missing31;
int error32 = missing32;
int error33 = missing33;
int error34 = missing34;
int error35 = missing35;
int error36 = missing36;
int error37 = missing37;
int error38 = missing38;
int error39 = missing39;

ENTRY {
  return zeros(O, shape, stream);
}
